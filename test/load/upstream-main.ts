import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { serverFrame } from '../fakes/proxmox/websocket-frames.ts';
import { serveParent } from './child.ts';
import type { Workload } from './plan.ts';

/**
 * The upstream of every relay: a minimal Proxmox API and VNC server, which opens a console and then sends frames as
 * the workload demands. With `raw` in the query it requires no password, for relays without RFB support.
 */
const ca = createCertificateAuthority();
const { certPem, keyPem } = ca.issue({ name: 'pve1', fqdn: 'pve1.bench', address: '127.0.0.1' });
/** Open consoles, each with its relay. */
const consoles = new Map<Duplex, { relay: string; framing: (bytes: Buffer) => Buffer }>();
const okay = Buffer.alloc(4);
const version = Buffer.from('RFB 003.008\n');
/** 16 x 16 pixels, 32 bits per pixel in true colour, no name. */
const serverInit = Buffer.from([
  0, 16, 0, 16, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0,
]);
/** An update of one pixel in Raw: as with a real machine, every session has its first picture. */
const firstPicture = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);

/** A server for each version of Porthole's relay, because they connect alike. */
const servers = ['Porthole', 'Porthole before', 'Porthole recorded'].map(createApi);

function createApi(relay: string): Server {
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    request.resume();
    const path = (request.url ?? '').split('?')[0] ?? '';
    const data = path.endsWith('/vncproxy')
      ? {
          port: 5900,
          ticket: 'PVEVNC:bench',
          password: 'benching',
          user: 'bench@pve',
          upid: 'UPID:bench',
          cert: '',
        }
      : { status: 'running', vmid: 100, name: 'bench' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }));
  });
  server.on('upgrade', (request, socket, head: Buffer) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Protocol: binary\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const raw = /[?&]raw=(.+)$/.exec(request.url ?? '')?.[1];
    serveConsole(socket, head, raw === undefined ? { relay } : { relay: decodeURIComponent(raw), raw: true });
  });
  return server;
}

/** Output of a console: in frames, or for clients without WebSocket as plain bytes. */
const framed = (bytes: Buffer) => serverFrame(2, bytes);
const unframed = (bytes: Buffer) => bytes;
type Framing = typeof framed;

function serveConsole(
  socket: Duplex,
  head: Buffer,
  { relay, raw = false }: { relay: string; raw?: boolean },
  framing: Framing = framed,
): void {
  const send = (bytes: Buffer) => socket.write(framing(bytes));
  // Numbers of bytes that the client sends next, and the responses.
  const script: { bytes: number; answer: Buffer }[] = [
    { bytes: 12, answer: Buffer.from([1, raw ? 1 : 2]) },
    { bytes: 1, answer: raw ? okay : Buffer.alloc(16, 7) },
    ...(raw ? [] : [{ bytes: 16, answer: okay }]),
    { bytes: 1, answer: Buffer.concat([serverInit, firstPicture]) },
  ];
  let waiting = Buffer.alloc(0);
  let received = Buffer.alloc(0);
  const read = (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (;;) {
      const frame = takeFrame(waiting);
      if (!frame) return;
      waiting = Buffer.from(frame.rest);
      if (frame.opcode === 8) socket.end();
      else if (frame.opcode === 9) socket.write(serverFrame(10, frame.payload));
      else if (frame.opcode === 2) onPayload(frame.payload);
    }
  };
  const onPayload = (payload: Buffer) => {
    const next = script[0];
    if (!next) {
      if (payload[0] === 5) send(fenceOf(payload)); // echoes pointer events
      return;
    }
    received = Buffer.concat([received, payload]);
    if (received.length < next.bytes) return;
    const leftover = received.subarray(next.bytes);
    received = Buffer.alloc(0);
    script.shift();
    send(next.answer);
    if (script.length === 0) consoles.set(socket, { relay, framing });
    if (leftover.length > 0) onPayload(leftover);
  };
  socket.on('data', framing === framed ? read : onPayload);
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  socket.on('close', () => consoles.delete(socket));
  send(version);
  if (head.length > 0) read(head);
}

function takeFrame(bytes: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | undefined {
  if (bytes.length < 6) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const at = short === 126 ? 4 : 2;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < at + 4 + length) return undefined;
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
  for (let i = 0; i < length; i++) payload[i] = payload.readUInt8(i) ^ bytes.readUInt8(at + (i & 3));
  return { opcode: bytes.readUInt8(0) & 15, payload, rest: bytes.subarray(at + 4 + length) };
}

/** A fence, which may carry any bytes: a recording needs messages that can be parsed. */
const fenceOf = (payload: Buffer) =>
  Buffer.concat([Buffer.from([248, 0, 0, 0, 0, 0, 0, 0, payload.length]), payload]);

/** An update of one rectangle in Zlib with data that no compressor makes smaller, as pictures are. */
function pictureOf(bytes: number): Buffer {
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 16, 0, 0, 0, 6, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes - header.length, 16);
  return Buffer.concat([header, randomBytes(bytes - header.length)]);
}

/** Starts the workload on every open console of this relay. */
function flood({ frameBytes, everyMs, framesPerSession }: Workload, relay: string): void {
  let at = 0;
  // No compressor may find a picture again, as deflate would within 32 KiB.
  const pictures = Array.from({ length: 2 + Math.ceil(65_536 / frameBytes) }, () => pictureOf(frameBytes));
  for (const [socket, by] of consoles) {
    if (by.relay !== relay) continue;
    const frames = pictures.map(by.framing);
    const nextFrame = () => frames[left % frames.length] ?? Buffer.alloc(0);
    let left = framesPerSession;
    if (everyMs === 0) {
      const more = () => {
        while (left > 0 && !socket.destroyed) {
          left--;
          if (!socket.write(nextFrame())) {
            socket.once('drain', more);
            return;
          }
        }
      };
      more();
      continue;
    }
    const next = () => {
      if (left-- <= 0 || socket.destroyed) clearInterval(timer);
      else socket.write(nextFrame());
    };
    let timer: NodeJS.Timeout;
    // Real sessions are independent, so the frames are spread over the interval.
    setTimeout(() => (timer = setInterval(next, everyMs)), (everyMs * at++) / consoles.size);
  }
}

// TLS 1.2, because websockify mistakes the session tickets of 1.3 for data, waits for more, and does not read from
// its viewer.
const bytes = createTlsServer({ cert: certPem, key: keyPem, maxVersion: 'TLSv1.2' }, (socket) =>
  serveConsole(socket, Buffer.alloc(0), { relay: 'websockify', raw: true }, unframed),
);
const portOf = (of: Server) => (of.address() as { port: number }).port;

let starting = servers.length + 1;
for (const server of [...servers, bytes])
  server.listen(0, '127.0.0.1', 1024, () => {
    if (--starting === 0) listening();
  });

function listening(): void {
  const [port, portBefore, portRecorded] = servers.map(portOf);
  serveParent(
    { port, portBefore, portRecorded, bytesPort: portOf(bytes), caPem: ca.caPem },
    (request: { flood?: Workload; relay?: string; stopReading?: true }) => {
      if (request.flood) flood(request.flood, request.relay ?? '');
      if (request.stopReading) for (const socket of consoles.keys()) socket.pause();
      return {
        consoles: consoles.size,
        blocked: [...consoles.keys()].filter((socket) => socket.writableNeedDrain).length,
      };
    },
  );
}
