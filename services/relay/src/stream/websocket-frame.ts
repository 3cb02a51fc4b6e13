/** Opcodes of WebSocket frames (RFC 6455 section 5.2). */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Longest payload of a control frame (RFC 6455 section 5.5). */
export const maxControlBytes = 125;

/** Longest header that the relay writes: no mask, 64-bit length. */
export const maxHeaderBytes = 10;

/** Length of the header of an unmasked frame, by the length of its payload. */
export function headerLength(payloadLength: number): number {
  return payloadLength < 126 ? 2 : payloadLength < 65_536 ? 4 : 10;
}

/** Writes the header of a final frame to `target` at `at`. `masked` only sets the bit. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  opcode: number,
  length: number,
  masked: boolean,
): void {
  target[at] = 0x80 | opcode;
  const bit = masked ? 0x80 : 0;
  if (length < 126) {
    target[at + 1] = bit | length;
  } else if (length < 65_536) {
    target[at + 1] = bit | 126;
    target.writeUInt16BE(length, at + 2);
  } else {
    target[at + 1] = bit | 127;
    target.writeUInt32BE(0, at + 2);
    target.writeUInt32BE(length, at + 6);
  }
}

/**
 * Encodes a frame as a client sends it: final, masked with zeros. Proxmox requires the mask, and skips unmasking if it
 * is zero (AnyEvent.pm). A random mask would protect caches from a browser (RFC 6455 section 10.3), not a server.
 */
export function encodeClientFrame(opcode: number, payload: Uint8Array): Buffer {
  const start = headerLength(payload.length) + 4;
  const frame = Buffer.allocUnsafe(start + payload.length);
  writeFrameHeader(frame, 0, opcode, payload.length, true);
  frame.fill(0, start - 4, start);
  frame.set(payload, start);
  return frame;
}
