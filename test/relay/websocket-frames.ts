import { headerLength, writeFrameHeader } from '@porthole/relay/stream/websocket-frame';

/** A frame as a browser sends it, with fields that a test can set to invalid values. */
export interface FrameFields {
  readonly final?: boolean;
  readonly reserved?: number;
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly mask?: readonly [number, number, number, number];
}

export function clientFrame({
  final = true,
  reserved = 0,
  opcode,
  payload,
  mask = [1, 2, 3, 4],
}: FrameFields): Buffer {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  header[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, Buffer.from(mask), payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0))]);
}

export const binaryFrame = (payload: Uint8Array) => clientFrame({ opcode: 2, payload });

/** A frame as a server sends it: final, unmasked. */
export function serverFrame(opcode: number, payload: Uint8Array): Buffer {
  const start = headerLength(payload.length);
  const frame = Buffer.alloc(start + payload.length);
  writeFrameHeader(frame, 0, opcode, payload.length, false);
  frame.set(payload, start);
  return frame;
}

/** The payload of a close frame (RFC 6455 section 5.5.1). */
export function closePayload(code: number, reason = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}
