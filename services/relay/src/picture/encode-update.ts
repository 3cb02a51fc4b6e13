import { serverMessageTypes } from '../rfb/message-types.ts';

/** A FramebufferUpdate in parts (RFC 6143 section 7.6.1). */
export interface Update {
  readonly message: readonly Uint8Array[];
  readonly bytes: number;
}

export function encodeUpdate(rectangles: readonly Buffer[]): Update {
  const head = Buffer.alloc(4);
  head[0] = serverMessageTypes.framebufferUpdate;
  head.writeUInt16BE(rectangles.length, 2);
  const bytes = rectangles.reduce((sum, { length }) => sum + length, head.length);
  return { message: [head, ...rectangles], bytes };
}
