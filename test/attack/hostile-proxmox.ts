import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { acceptKey } from '@porthole/relay/upstream/websocket-upgrade';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { readClientFrame, serverFrame } from '../fakes/proxmox/websocket-frames.ts';
import { createRelayRig, type RelayRig, type RigOptions } from '../relay/rig.ts';

/** A console of the hostile Proxmox, right behind the request for its WebSocket. */
export interface HostileConsole {
  readonly socket: TLSSocket;
  /** The answer that accepts the WebSocket, with further header lines. */
  accept(...headers: string[]): void;
  /** Sends one binary frame. */
  say(bytes: Buffer | string): void;
  /** Resolves when the relay has sent so many bytes of payload since the last call. */
  hear(bytes: number): Promise<void>;
  /** Accepts, and speaks as a VNC server up to the end of authentication. */
  authenticate(): Promise<void>;
}

export type Behaviour = (console: HostileConsole) => void | Promise<void>;

export interface HostileProxmox {
  readonly rig: RelayRig;
  /** What the console of a machine does, once per attempt to open it. Machine 100 behaves well. */
  onConsole(vmid: number, behaviour: Behaviour): void;
  /** Answers requests of the API in place of the usual answer, where it does not return false. */
  onRequest(answer: (request: IncomingMessage, response: ServerResponse) => boolean): void;
  /** Connections that are open. */
  connections(): number;
  stop(): Promise<void>;
}

const securityResult = Buffer.alloc(4);
const ticket = { port: 5900, ticket: 'PVEVNC:hostile', password: 'hostile!', user: 'x@pve', upid: 'UPID:x' };

/** A relay in front of a Proxmox that does what a test says. */
export async function startHostileProxmox(options: RigOptions = {}): Promise<HostileProxmox> {
  const ca = createCertificateAuthority();
  const { certPem, keyPem } = ca.issue({ name: 'pve1', fqdn: 'pve1.test', address: '127.0.0.1' });
  const honest = createBuiltinGuest({ name: 'honest', width: 160, height: 120 });
  await honest.start();
  const sockets = new Set<TLSSocket>();
  const behaviours = new Map<number, Behaviour>();
  let answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  const server: Server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    request.resume();
    if (answer(request, response)) return;
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path.endsWith('/vncproxy') && path.includes('/100/')) void honest.setPassword(ticket.password, 30);
    const data = path.endsWith('/vncproxy') ? ticket : { status: 'running', name: 'hostile' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: TLSSocket) => {
    const console = consoleOn(socket, String(request.headers['sec-websocket-key']));
    const vmid = Number(/\/qemu\/(\d+)\//.exec(request.url ?? '')?.[1]);
    if (vmid === 100) void serveHonestly(console, socket);
    // A connection that the relay closes ends what a behaviour waits for.
    else void Promise.resolve(behaviours.get(vmid)?.(console)).catch(() => {});
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serveHonestly(console: HostileConsole, socket: TLSSocket): Promise<void> {
    console.accept();
    const machine = await honest.connect();
    machine.on('data', (bytes: Buffer) => console.say(bytes)).on('end', () => socket.end());
    readFrames(socket, (payload) => machine.write(payload));
    socket.on('close', () => machine.destroy());
  }

  const rig = await createRelayRig({
    ...options,
    cluster: () => ({
      name: 'lab',
      urls: url,
      nodes: { pve1: url },
      credential: { token: 'x@pve!y', secret: () => 'secret' },
      tls: { caFile: () => ca.caPem },
      opensPerNode: 100,
    }),
  });
  return {
    rig,
    onConsole: (vmid, behaviour) => void behaviours.set(vmid, behaviour),
    onRequest: (next) => (answer = next),
    connections: () => sockets.size,
    async stop() {
      await rig.stop();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await honest.close();
    },
  };
}

function consoleOn(socket: TLSSocket, key: string): HostileConsole {
  let heard = 0;
  let wanted: { bytes: number; resolve: () => void } | undefined;
  const settle = () => {
    if (!wanted || heard < wanted.bytes) return;
    heard -= wanted.bytes;
    wanted.resolve();
    wanted = undefined;
  };
  let reading = false;
  const console: HostileConsole = {
    socket,
    accept(...headers) {
      const lines = ['Upgrade: websocket', 'Connection: upgrade', `Sec-WebSocket-Accept: ${acceptKey(key)}`];
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${[...lines, ...headers].join('\r\n')}\r\n\r\n`);
    },
    say: (bytes) => void socket.write(serverFrame(2, Buffer.from(bytes))),
    hear(bytes) {
      if (!reading)
        readFrames(socket, (payload) => {
          heard += payload.length;
          settle();
        });
      reading = true;
      return new Promise((resolve) => {
        wanted = { bytes, resolve };
        settle();
      });
    },
    async authenticate() {
      console.accept();
      console.say('RFB 003.008\n');
      await console.hear(12);
      console.say(Buffer.from([1, 2]));
      await console.hear(1);
      console.say(Buffer.alloc(16, 7));
      await console.hear(16);
      console.say(securityResult);
    },
  };
  return console;
}

/** Reads the relay's frames; pings are answered as pveproxy does. */
function readFrames(socket: TLSSocket, onPayload: (payload: Buffer) => void): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let next = readClientFrame(waiting); next; next = readClientFrame(waiting)) {
      const { frame, rest } = next;
      if ('violation' in frame) throw new Error(`The relay sent a frame that is ${frame.violation}.`);
      waiting = rest;
      if (frame.opcode === 9) socket.write(serverFrame(10, frame.payload));
      else if (frame.opcode === 2) onPayload(frame.payload);
    }
  });
}
