import type { Random } from './random.ts';

/**
 * WebSocket frames as Proxmox's AnyEvent.pm reads and writes them. It deviates from RFC 6455: it accepts only
 * unfragmented frames of up to 128 KiB, and never sends a close frame.
 */
export const largestFrame = 131072;

export type FrameRule = 'unmasked' | 'reserved bits' | 'fragmented' | 'too large' | 'unknown opcode';

export type ClientFrame = { opcode: number; payload: Buffer } | { violation: FrameRule };

const known = new Set([1, 2, 8, 9, 10]);

/** Reads the first frame of `bytes`. Returns null if it is not complete. */
export function readClientFrame(bytes: Buffer): { frame: ClientFrame; rest: Buffer } | null {
  if (bytes.length < 2) return null;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const violation = (rule: FrameRule) => ({ frame: { violation: rule }, rest: bytes });
  if (!(first & 0x80)) return violation('fragmented');
  if (first & 0x70) return violation('reserved bits');
  if (!(second & 0x80)) return violation('unmasked');
  let length = second & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (length > largestFrame) return violation('too large');
  if (bytes.length < at + 4 + length) return null;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
  for (let i = 0; i < length; i++) payload[i] = payload.readUInt8(i) ^ mask.readUInt8(i % 4);
  const opcode = first & 0x0f;
  const rest = bytes.subarray(at + 4 + length);
  return known.has(opcode)
    ? { frame: { opcode, payload }, rest }
    : { frame: { violation: 'unknown opcode' }, rest };
}

/** One frame as the server sends it: final, unmasked. */
export function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head.writeUInt8(0x80 | opcode, 0);
  if (length < 126) {
    head.writeUInt8(length, 1);
  } else if (length < 65536) {
    head.writeUInt8(126, 1);
    head.writeUInt16BE(length, 2);
  } else {
    head.writeUInt8(127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/**
 * Splits bytes into binary frames of 1 to 131072 bytes at random borders: Proxmox sends one frame per read of its
 * backend. Sizes are spread evenly over the orders of magnitude, so that small and large frames occur.
 */
export function cutIntoFrames(bytes: Buffer, random: Random): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = Math.min(largestFrame, Math.floor(2 ** (random() * 17.5)));
    frames.push(serverFrame(2, bytes.subarray(at, at + size)));
    at += size;
  }
  return frames;
}
