import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { FakeProxmox } from './fake-proxmox.ts';
import { until } from './watched-clock.ts';

/** A raw TLS connection, which sends and reads any bytes. */
export interface RudeClient {
  readonly socket: TLSSocket;
  send(bytes: Buffer | string): void;
  sendFrame(opcode: number, payload: Buffer | string, change?: FrameChange): void;
  /** The head of the response, or '' if the connection ended without one. */
  head(): Promise<string>;
  /** The frames after the 101 so far. */
  frames(): { first: number; payload: Buffer }[];
  /** The payloads of the binary frames so far, as text. */
  output(): string;
  untilOutput(text: string): Promise<void>;
  readonly ended: boolean;
  untilEnded(): Promise<void>;
  bytes(): Buffer;
}

export interface FrameChange {
  fin?: boolean;
  rsv?: number;
  masked?: boolean;
}

export async function connectRudely(fake: FakeProxmox, node?: string): Promise<RudeClient> {
  const { hostname, port } = new URL(fake.url(node));
  const socket = connect({ host: hostname, port: Number(port), ca: fake.caPem, ALPNProtocols: ['http/1.1'] });
  const received: Buffer[] = [];
  let ended = false;
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => {});
  socket.on('close', () => (ended = true));
  await once(socket, 'secureConnect');

  const bytes = () => Buffer.concat(received);
  const frames = () => {
    const all = bytes();
    const found: { first: number; payload: Buffer }[] = [];
    for (let at = all.indexOf('\r\n\r\n') + 4; at + 2 <= all.length;) {
      let length = all.readUInt8(at + 1);
      let start = at + 2;
      if (length === 126) length = all.readUInt16BE((start += 2) - 2);
      else if (length === 127) length = Number(all.readBigUInt64BE((start += 8) - 8));
      if (all.length < start + length) break;
      found.push({ first: all.readUInt8(at), payload: all.subarray(start, start + length) });
      at = start + length;
    }
    return found;
  };
  const output = () =>
    Buffer.concat(frames().flatMap(({ first, payload }) => (first === 0x82 ? [payload] : []))).toString(
      'latin1',
    );

  return {
    socket,
    bytes,
    frames,
    output,
    send: (data) => void socket.write(data),
    sendFrame: (opcode, payload, change) =>
      void socket.write(clientFrame(opcode, Buffer.from(payload), change)),
    async head() {
      await until(() => ended || bytes().includes('\r\n\r\n'));
      return bytes().toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
    },
    untilOutput: (text) => until(() => output().includes(text)),
    get ended() {
      return ended;
    },
    untilEnded: () => until(() => ended),
  };
}

function clientFrame(
  opcode: number,
  payload: Buffer,
  { fin = true, rsv = 0, masked = true }: FrameChange = {},
): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt8((fin ? 0x80 : 0) | (rsv << 4) | opcode, 0);
  head.writeUInt8((masked ? 0x80 : 0) | 127, 1);
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  const mask = Buffer.from(masked ? [1, 2, 3, 4] : []);
  const body = Buffer.from(payload.map((byte, index) => (masked ? byte ^ ((index % 4) + 1) : byte)));
  return Buffer.concat([head, mask, body]);
}

export function upgradeRequest(target: string, headers: Record<string, string>): string {
  const all = {
    host: 'pve',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}
