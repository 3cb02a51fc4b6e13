import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { duplexPair, type Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { eventually } from '../../eventually.ts';
import { createFakeClock, type FakeClock } from '../clock.ts';
import type { Guest } from '../guests/guest.ts';
import { createFakeProxmox, type FakeProxmox, type FakeProxmoxOptions } from './fake-proxmox.ts';

/** Helpers for the tests of the fake: an observable clock, a guest without a screen, and clients. */
export interface WatchedClock extends FakeClock {
  /** Resolves when a timer of exactly this many milliseconds is pending. */
  untilSomethingWaits(ms: number): Promise<void>;
  /** Resolves with the duration of a pending timer between the limits. */
  untilSomethingWaitsBetween(from: number, to: number): Promise<number>;
}

export function createWatchedClock(): WatchedClock {
  const clock = createFakeClock(Date.UTC(2026, 10, 23, 12));
  const waiting: number[] = [];
  return {
    ...clock,
    after(ms, fn) {
      waiting.push(ms);
      const forget = () => void waiting.splice(waiting.indexOf(ms), waiting.includes(ms) ? 1 : 0);
      let over = false;
      const cancel = clock.after(ms, () => {
        over = true;
        forget();
        fn();
      });
      return () => {
        if (!over) forget();
        over = true;
        cancel();
      };
    },
    untilSomethingWaits: (ms) => until(() => waiting.includes(ms)),
    async untilSomethingWaitsBetween(from, to) {
      const isBetween = (ms: number) => ms >= from && ms <= to;
      await until(() => waiting.some(isBetween));
      return waiting.find(isBetween) ?? Number.NaN;
    },
  };
}

/** Waits in real time, until work that timers of the fake clock have started is done. */
export async function until(condition: () => boolean): Promise<void> {
  await eventually(condition.toString(), condition);
}

export interface StubGuest extends Guest {
  readonly passwords: string[];
  /** The guest's ends of the connections to it. */
  readonly connections: Duplex[];
  received(index?: number): string;
}

/** Sends the first twelve bytes of RFB, then echoes. */
export function createStubGuest(): StubGuest {
  const passwords: string[] = [];
  const connections: Duplex[] = [];
  const heard: Buffer[][] = [];
  const listeners = new Set<() => void>();
  let running = false;
  const halt = async () => {
    running = false;
    for (const connection of connections) connection.end();
    for (const listener of listeners) listener();
    await Promise.resolve();
  };
  return {
    passwords,
    connections,
    received: (index = 0) => Buffer.concat(heard[index] ?? []).toString('latin1'),
    get running() {
      return running;
    },
    async start() {
      running = true;
      await Promise.resolve();
    },
    stop: halt,
    shutdown: halt,
    reset: () => Promise.resolve(),
    async setPassword(password) {
      passwords.push(password);
      await Promise.resolve();
    },
    async connect() {
      await Promise.resolve();
      const [ours, theirs] = duplexPair();
      const bytes: Buffer[] = [];
      heard.push(bytes);
      ours.on('data', (chunk: Buffer) => {
        bytes.push(chunk);
        ours.write(chunk);
      });
      ours.write('RFB 003.008\n');
      connections.push(ours);
      return theirs;
    },
    onStopped(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: halt,
  };
}

export const gateway = {
  userid: 'gw@pve',
  password: 'gateway password',
  acl: { '/vms': ['VM.Console', 'VM.Audit', 'VM.PowerMgmt'], '/': ['Sys.Audit'] },
};
export const gatewayToken = {
  tokenid: 'gw@pve!console',
  secret: '6a1f8f1c-0e0a-4c1b-9d55-4f3b5c1f2a77',
  privsep: false,
};
export const byToken = { authorization: `PVEAPIToken=${gatewayToken.tokenid}=${gatewayToken.secret}` };

export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  // Tests know the shape of the responses.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface Cluster {
  readonly fake: FakeProxmox;
  readonly clock: WatchedClock;
  readonly guest: StubGuest;
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
  /** Logs in and returns the headers for further calls. */
  login(user?: {
    userid: string;
    password: string;
  }): Promise<{ cookie: string; csrfpreventiontoken: string }>;
  vncproxy(
    path?: string,
    options?: CallOptions,
  ): Promise<{ port: string; ticket: string; password?: string; user: string }>;
  upgrade(options?: UpgradeOptions): Promise<RudeClient>;
}

export interface CallOptions {
  node?: string;
  headers?: Record<string, string>;
  form?: Record<string, string>;
  body?: string;
}

export interface UpgradeOptions extends CallOptions {
  path?: string;
  port?: string;
  ticket?: string;
  /** A verbatim query instead of port and ticket. */
  query?: string;
}

/** Guest 100 is a QEMU machine on pve1, 200 a container on pve2, both with the same stub behind them. */
export async function startCluster(options: FakeProxmoxOptions = {}): Promise<Cluster> {
  const clock = createWatchedClock();
  const guest = createStubGuest();
  const fake = await createFakeProxmox({
    clock,
    vncproxyMs: 0,
    qmStartMs: 0,
    users: [gateway],
    tokens: [gatewayToken],
    guests: [
      { vmid: 100, node: 'pve1', name: 'alpha', guest },
      { vmid: 200, node: 'pve2', name: 'beta', type: 'lxc', guest },
    ],
    ...options,
  });
  const call: Cluster['call'] = (method, path, given = {}) =>
    callNode(fake, method, `/api2/json${path}`, given);

  return {
    fake,
    clock,
    guest,
    call,
    async login(user = gateway) {
      const { json } = await call('POST', '/access/ticket', {
        headers: {},
        form: { username: user.userid, password: user.password },
      });
      return {
        cookie: `PVEAuthCookie=${encodeURIComponent(json.data.ticket)}`,
        csrfpreventiontoken: json.data.CSRFPreventionToken,
      };
    },
    async vncproxy(path = '/nodes/pve1/qemu/100', given = {}) {
      const reply = await call('POST', `${path}/vncproxy`, { form: { websocket: '1' }, ...given });
      if (reply.status !== 200) throw new Error(`${reply.status} ${reply.reason}`);
      return reply.json.data;
    },
    async upgrade({ path = '/nodes/pve1/qemu/100', port = '', ticket = '', query, node, headers } = {}) {
      const target = query ?? `port=${port}&vncticket=${encodeURIComponent(ticket)}`;
      const client = await connectRudely(fake, node);
      client.send(upgradeRequest(`/api2/json${path}/vncwebsocket?${target}`, headers ?? byToken));
      return client;
    },
  };
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

async function callNode(
  fake: FakeProxmox,
  method: string,
  path: string,
  { node, headers = byToken, form, body }: CallOptions,
): Promise<Reply> {
  const sent = form ? new URLSearchParams(form).toString() : body;
  const pending = httpsRequest(fake.url(node) + path, {
    method,
    ca: fake.caPem,
    agent: false,
    headers: {
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(sent !== undefined && { 'content-length': String(Buffer.byteLength(sent)) }),
      ...headers,
    },
  });
  pending.end(sent);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    pending.on('response', resolve);
    pending.on('error', reject);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? '',
    headers: response.headers,
    body: text,
    get json() {
      return JSON.parse(text);
    },
  };
}

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
