import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { serveParent } from './child.ts';

/** All viewers of the bench in one process, on bare sockets, so that they are faster than any relay. */
interface Viewer {
  readonly socket: Socket;
  received: number;
}

interface Open {
  readonly port: number;
  readonly path: string;
  /** Subprotocols, one value for each viewer. */
  readonly protocols: readonly string[];
  /** Maximum number of viewers that connect at the same time. */
  readonly opening: number;
}

type Request =
  | { readonly open: Open }
  | { readonly receive: number }
  | { readonly echoSeconds: number }
  | { readonly close: true };

const handshake = ['RFB 003.008\n', '\x01', '\x01'].map((text) => Buffer.from(text, 'latin1'));
let viewers: Viewer[] = [];
let total = 0;
let reached: { bytes: number; resolve: () => void } | undefined;
const sentAt = new Map<number, number>();
let latencies: number[] = [];

function openOne({ port, path }: Open, protocols: string): Promise<Viewer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const viewer: Viewer = { socket, received: 0 };
    let step = 0;
    let ready = false;
    let head = Buffer.alloc(0);
    const frames = createReader(
      (chunk, from, to) => {
        if (ready) {
          total += to - from;
          if (reached && total >= reached.bytes) reached.resolve();
          if (to - from === 15 && chunk[from] === 248) echoed(chunk.readUInt32BE(from + 11));
          return;
        }
        // During the handshake, each response of the relay is a separate frame.
        viewer.received += to - from;
        while (step < 3 && viewer.received >= (boundaries[step] ?? 0))
          socket.write(clientFrame(handshake[step++]!));
        if (viewer.received >= bytesUntilOpen) {
          ready = true;
          resolve(viewer);
        }
      },
      () => socket.write(pong),
    );
    socket.on('connect', () =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: http://localhost:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: ${protocols}\r\n\r\n`,
      ),
    );
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!head.toString('latin1', 0, 12).endsWith('101')) {
        reject(new Error(head.toString('latin1', 0, end)));
        return;
      }
      socket.off('data', onData).on('data', frames);
      if (head.length > end + 4) frames(head.subarray(end + 4));
      head = Buffer.alloc(0);
    };
    socket.on('data', onData);
    socket.on('error', reject);
    socket.on('close', () => {
      const error = new Error(`A relay (${path}) closed the connection of a viewer.`);
      reject(error);
      // Without one of its sessions, a measurement would never end.
      if (viewers.includes(viewer)) throw error;
    });
  });
}

/** Relays close connections that don't answer their pings, which have no payload. */
const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** Version, security types, result, ServerInit, and the first picture. */
const bytesUntilOpen = 12 + 2 + 4 + 24 + 20;

/** Bytes of the handshake after which the viewer sends: version, security types, result. */
const boundaries = [12, 14, 18];

function createReader(onPayload: (chunk: Buffer, from: number, to: number) => void, onPing: () => void) {
  let left = 0;
  let skip = false;
  let header = Buffer.alloc(0);
  return (given: Buffer) => {
    let chunk = given;
    if (header.length > 0) {
      chunk = Buffer.concat([header, given]);
      header = Buffer.alloc(0);
    }
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const size = chunk.length - at;
        const short = size < 2 ? 0 : chunk[at + 1]!;
        const headBytes = short === 127 ? 10 : short === 126 ? 4 : 2;
        if (size < headBytes) {
          header = Buffer.from(chunk.subarray(at));
          return;
        }
        skip = (chunk[at]! & 15) !== 2 && (chunk[at]! & 15) !== 0;
        if ((chunk[at]! & 15) === 9) onPing();
        left =
          short === 127 ? chunk.readUInt32BE(at + 6) : short === 126 ? chunk.readUInt16BE(at + 2) : short;
        at += headBytes;
      }
      const to = Math.min(chunk.length, at + left);
      if (!skip && to > at) onPayload(chunk, at, to);
      left -= to - at;
      at = to;
    }
  };
}

function clientFrame(payload: Buffer): Buffer {
  const mask = randomBytes(4);
  return Buffer.concat([
    Buffer.from([0x82, 0x80 | payload.length]),
    mask,
    payload.map((byte, i) => byte ^ mask[i & 3]!),
  ]);
}

async function open(options: Open): Promise<{ opened: number; seconds: number }> {
  const since = performance.now();
  const waiting = [...options.protocols];
  const worker = async () => {
    for (let protocols = waiting.pop(); protocols !== undefined; protocols = waiting.pop())
      viewers.push(await openOne(options, protocols));
  };
  await Promise.all(Array.from({ length: options.opening }, worker));
  total = 0;
  return { opened: viewers.length, seconds: (performance.now() - since) / 1000 };
}

function receive(bytes: number): Promise<{ seconds: number }> {
  const since = performance.now();
  return new Promise((resolve) => {
    const done = () => {
      reached = undefined;
      total = 0;
      resolve({ seconds: (performance.now() - since) / 1000 });
    };
    if (total >= bytes) done();
    else reached = { bytes, resolve: done };
  });
}

function echoed(id: number): void {
  const at = sentAt.get(id);
  if (at === undefined) return;
  sentAt.delete(id);
  latencies.push(performance.now() - at);
}

/** Sends one pointer event per second and viewer, evenly spread, and measures the round-trip times. */
async function echo(seconds: number): Promise<{ p50: number; p99: number; p999: number; lost: number }> {
  latencies = [];
  const due = seconds * viewers.length;
  const since = performance.now();
  let id = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const until = Math.min(due, ((performance.now() - since) / 1000) * viewers.length);
      for (; id < until; id++) {
        const message = Buffer.from([5, 0, 0, 0, 0, 0]);
        message.writeUInt32BE(id, 2);
        sentAt.set(id, performance.now());
        viewers[id % viewers.length]!.socket.write(clientFrame(message));
      }
      if (id >= due) {
        clearInterval(timer);
        setTimeout(resolve, 500);
      }
    }, 1);
  });
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  const lost = sentAt.size;
  sentAt.clear();
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), lost };
}

function close(): void {
  const leaving = viewers;
  viewers = [];
  for (const { socket } of leaving) {
    socket.on('error', () => {});
    socket.destroy();
  }
}

serveParent({}, (request: Request) => {
  if ('open' in request) return open(request.open);
  if ('receive' in request) return receive(request.receive);
  if ('echoSeconds' in request) return echo(request.echoSeconds);
  return close();
});
