/** Constants of both handshakes of RFB 3.8 (RFC 6143 sections 7.1 to 7.3). */
export const rfbVersion = Buffer.from('RFB 003.008\n', 'latin1');

export const securityTypes = { none: 1, vncAuthentication: 2 } as const;

/** ClientInit with the shared flag set: with 0, QEMU would disconnect all other viewers (ui/vnc.c). */
export const sharedClientInit = Buffer.from([1]);
