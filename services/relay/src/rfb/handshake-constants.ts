/** The version that the relay speaks on both sides (RFC 6143 section 7.1.1). */
export const rfbVersion = Buffer.from('RFB 003.008\n', 'latin1');

/** RFC 6143 section 7.2. */
export const securityTypes = { none: 1, vncAuthentication: 2 } as const;

/**
 * ClientInit with the shared flag set (RFC 6143 section 7.3.1). With 0, QEMU disconnects all other viewers
 * (ui/vnc.c).
 */
export const sharedClientInit = Buffer.from([1]);
