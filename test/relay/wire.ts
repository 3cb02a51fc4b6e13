import { connect, type Socket } from 'node:net';
import { headerBytes, writeHeader } from '@porthole/relay/stream/websocket-frame';

/** What a browser puts on the wire, made by hand so that it can be wrong in every way. */
export interface WireFrame {
  readonly final?: boolean;
  readonly reserved?: number;
  readonly opcode: number;
  readonly payload: Uint8Array;
  /** Undefined: not masked. */
  readonly mask?: readonly [number, number, number, number] | undefined;
}

export function wireFrame({
  final = true,
  reserved = 0,
  opcode,
  payload,
  mask = [1, 2, 3, 4],
}: WireFrame): Buffer {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  header[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, Buffer.from(mask), payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0))]);
}

export const binaryFrame = (payload: Uint8Array) => wireFrame({ opcode: 2, payload });

/** A whole frame as a server sends it: final, unmasked. */
export function serverFrame(opcode: number, payload: Uint8Array): Buffer {
  const start = headerBytes(payload.length);
  const frame = Buffer.alloc(start + payload.length);
  writeHeader(frame, 0, opcode, payload.length, false);
  frame.set(payload, start);
  return frame;
}

/** The payload of a close frame (RFC 6455 section 5.5.1). */
export function closePayload(code: number, reason: string): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** The same numbers every time, so that what fails once fails again. */
export function createNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Cuts bytes at random places. Copies, because parsers unmask in place. */
export function cutAtRandom(bytes: Buffer, random: (below: number) => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + random(40));
    pieces.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return pieces;
}

/** A bare connection to the relay, upgraded by hand; what the relay sends is counted and thrown away. */
export async function openWire(url: string, options: { token?: string; origin: string }): Promise<Wire> {
  const { hostname, port, pathname, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => {});
  const protocols = [
    'porthole.v1',
    ...(options.token === undefined ? [] : [`porthole.grant.${options.token}`]),
  ];
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${options.origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ${protocols.join(', ')}\r\n\r\n`,
  );
  let seen = Buffer.alloc(0);
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.on('end', () => socket.end());
  await new Promise<void>((resolve) => {
    const look = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]).subarray(-64 * 1024);
      if (seen.includes('\r\n\r\n')) resolve();
    };
    socket.on('data', look);
    void closed.then(resolve);
  });
  return { socket, closed, seen: () => seen };
}

export interface Wire {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** The last 64 KiB of what the relay sent. */
  seen(): Buffer;
}
