/** Types of the messages that a client sends (RFC 6143 section 7.5; from 150 on, extensions of rfbproto). */
export const clientMessageTypes = {
  setPixelFormat: 0,
  setEncodings: 2,
  framebufferUpdateRequest: 3,
  keyEvent: 4,
  pointerEvent: 5,
  clientCutText: 6,
  enableContinuousUpdates: 150,
  fence: 248,
  xvp: 250,
  setDesktopSize: 251,
  qemu: 255,
} as const;

/** Types of the messages that a server sends (RFC 6143 section 7.6; from 150 on, extensions of rfbproto). */
export const serverMessageTypes = {
  framebufferUpdate: 0,
  setColourMapEntries: 1,
  bell: 2,
  serverCutText: 3,
  endOfContinuousUpdates: 150,
  fence: 248,
  xvp: 250,
} as const;
