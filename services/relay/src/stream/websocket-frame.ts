/** The frame of RFC 6455 section 5.2, as far as the relay writes and reads frames itself. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Section 5.5: control frames are never fragmented, and no longer than this. */
export const maxControlBytes = 125;

/** The longest header that we write: no mask, 64-bit length. */
export const maxHeaderBytes = 10;

/** How long the header of an unmasked frame with so much payload is. */
export function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** Writes the header of a final frame to `target` at `at`. `masked` only sets the bit. */
export function writeHeader(
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
 * One whole frame as a client sends it: final, masked with zeros. Proxmox requires the mask, and skips the unmasking
 * if it is zero (AnyEvent.pm); masking protects caches from browsers (section 10.3), not servers.
 */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const start = headerBytes(payload.length) + 4;
  const frame = Buffer.allocUnsafe(start + payload.length);
  writeHeader(frame, 0, opcode, payload.length, true);
  frame.fill(0, start - 4, start);
  frame.set(payload, start);
  return frame;
}
