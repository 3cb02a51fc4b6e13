import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer, type WebSocket } from 'ws';
import { createRfbServer, type RfbServer } from './rfb-server.ts';

const dist = fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url));

const csp =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface SiteMachine {
  cluster: string;
  node: string;
  type: 'qemu' | 'lxc';
  vmid: number;
  name: string;
  status: string;
  tags: string[];
  pool?: string;
  allow: ('view' | 'control' | 'terminal' | 'watch' | 'power' | 'end')[];
  kinds: ('screen' | 'terminal')[];
}

/** A console that a page has open: the test is its relay. */
export interface OpenedConsole {
  readonly socket: WebSocket;
  readonly rfb: RfbServer;
  /** Types of the RFB messages that came from the page. */
  readonly received: { readonly type: number; readonly bytes: Buffer }[];
  sendControl(message: unknown): void;
  close(code: number, reason?: string): void;
}

export interface Refusal {
  readonly status: number;
  readonly code?: string;
  readonly title?: string;
  readonly retryAfter?: number;
}

/** How the stubbed relay treats the next consoles. */
export type RelayScript = (opened: OpenedConsole) => void;

export interface SiteSession {
  id: string;
  user: { id: string; name: string; displayName?: string };
  machine: { cluster: string; vmid: number; name: string; type: 'qemu' | 'lxc'; node: string };
  mode: 'view' | 'control';
  kind: 'screen';
  observer?: boolean;
  relay: string;
  since: string;
  bytes: { toViewer: number; toMachine: number };
  observers: string[];
  mine: boolean;
  may: ('end' | 'watch' | 'control' | 'sign_out')[];
}

export function aSession(id: string, over: Partial<SiteSession> = {}): SiteSession {
  return {
    id,
    user: { id: `local:${id}`, name: id },
    machine: { cluster: 'lab', vmid: 101, name: `lab-${id}`, type: 'qemu', node: 'pve1' },
    mode: 'control',
    kind: 'screen',
    relay: 'relay-1',
    since: new Date(Date.now() - 42 * 60_000).toISOString(),
    bytes: { toViewer: 12_400_000, toMachine: 90_000 },
    observers: [],
    mine: false,
    may: ['end', 'watch', 'control'],
    ...over,
  };
}

export interface Site {
  readonly origin: string;
  readonly opened: OpenedConsole[];
  /** The subprotocols that each of them offered. */
  readonly offered: string[];
  readonly grants: { readonly vmid: string; readonly mode: string }[];
  machines: SiteMachine[];
  sessions: SiteSession[];
  classes: { name: string; title: string }[];
  canSeeSessions: boolean;
  /** What was asked to be ended, as it stood in the address. */
  readonly ended: string[];
  /** What machines were told, `vmid action`, and how their tasks come out, by vmid: at first they run. */
  readonly powerActions: string[];
  readonly tasks: Map<string, unknown>;
  /** How many lists of consoles were as before. */
  notModified: number;
  /** How many seconds old the list claims to be. */
  stale: number | undefined;
  signedIn: boolean;
  /** Taken one by one; when empty, grants are given. */
  readonly grantReplies: Refusal[];
  listReply: Refusal | undefined;
  relayScript: RelayScript;
  stop(): Promise<void>;
}

/** The ordinary course: the steps, the word that it is open, the picture. */
export const openNormally: RelayScript = ({ sendControl: say, rfb }) => {
  say({ type: 'opening', step: 'status' });
  say({ type: 'opening', step: 'console' });
  say({ type: 'opened', mode: 'control' });
  rfb.start();
};

export function aMachine(over: Partial<SiteMachine> = {}): SiteMachine {
  return {
    cluster: 'lab',
    node: 'pve1',
    type: 'qemu',
    vmid: 100,
    name: 'web-1',
    status: 'running',
    tags: [],
    allow: ['view', 'control'],
    kinds: ['screen'],
    ...over,
  };
}

/** The built pages behind the real content security policy, with broker and relay played by the test. */
export async function startSite(): Promise<Site> {
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.writeHead(500).end());
  });
  const sockets = new WebSocketServer({
    server,
    path: '/relay/v1/console',
    handleProtocols: () => 'porthole.v1',
  });
  let grantNumber = 0;

  const site: Site = {
    origin: '',
    opened: [],
    offered: [],
    grants: [],
    machines: [aMachine()],
    sessions: [],
    classes: [],
    canSeeSessions: false,
    ended: [],
    powerActions: [],
    tasks: new Map(),
    notModified: 0,
    stale: undefined,
    signedIn: true,
    grantReplies: [],
    listReply: undefined,
    relayScript: openNormally,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  sockets.on('connection', (socket, request) => {
    site.offered.push(request.headers['sec-websocket-protocol'] ?? '');
    const heard: OpenedConsole['received'] = [];
    const rfb = createRfbServer({
      send: (bytes) => socket.send(bytes),
      onMessage: (type, bytes) => heard.push({ type, bytes: Buffer.from(bytes) }),
    });
    socket.on('message', (data, binary) => {
      if (binary) rfb.receive(data as Buffer);
    });
    socket.on('error', () => {});
    const opened: OpenedConsole = {
      socket,
      rfb,
      received: heard,
      sendControl: (message) => socket.send(JSON.stringify(message)),
      close: (code, reason = '') => socket.close(code, reason),
    };
    site.opened.push(opened);
    site.relayScript(opened);
  });

  function json(
    response: ServerResponse,
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
  ) {
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(status, { 'content-type': type, 'content-security-policy': csp, ...headers });
    response.end(JSON.stringify(body));
  }

  function refuse(
    response: ServerResponse,
    { status, code = 'internal', title = 'No.', retryAfter }: Refusal,
  ) {
    const headers: Record<string, string> =
      retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
    json(response, status, { type: 'about:blank', title, status, code, requestId: 'request-1' }, headers);
  }

  const user = { id: 'u1', name: 'Ada Lovelace', groups: ['students'] };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', site.origin);
    const route = `${request.method} ${url.pathname}`;
    if (route === 'GET /api/v1/login') return json(response, 200, { methods: [{ kind: 'local' }] });
    if (route === 'POST /api/v1/login') {
      const { password } = (await bodyOf(request)) as { password: string };
      if (password !== 'sesame') return refuse(response, { status: 401, code: 'wrong_password' });
      site.signedIn = true;
      return json(response, 200, { user });
    }
    if (url.pathname.startsWith('/api/') && !site.signedIn) {
      return refuse(response, { status: 401, code: 'not_signed_in' });
    }
    if (route === 'GET /api/v1/me') return json(response, 200, { user, oversees: site.canSeeSessions });
    if (route === 'GET /api/v1/sessions') {
      const wanted = url.searchParams.get('class');
      const sessions = wanted === null ? site.sessions : site.sessions.filter(({ mine }) => !mine);
      const body = { classes: site.classes, sessions };
      const etag = `"${Buffer.from(JSON.stringify(body)).toString('base64').length}-${JSON.stringify(body).length}"`;
      if (request.headers['if-none-match'] === etag) {
        site.notModified += 1;
        response.writeHead(304, { etag }).end();
        return;
      }
      return json(response, 200, body, { etag });
    }
    if (route === 'DELETE /api/v1/logins') {
      site.ended.push(url.search);
      return json(response, 200, { signIns: 1, consoles: 1 });
    }
    if (request.method === 'DELETE' && url.pathname.startsWith('/api/v1/sessions')) {
      site.ended.push(`${url.pathname.slice('/api/v1/sessions'.length)}${url.search}`);
      const id = url.pathname.split('/')[4];
      site.sessions = site.sessions.filter((session) => (id ? session.id !== id : session.mine));
      if (!id) return json(response, 200, { ended: 1 });
      response.writeHead(204).end();
      return;
    }
    const power = /^(POST|GET) \/api\/v1\/consoles\/[^/]+\/(\d+)\/power/.exec(route);
    if (power?.[2]) {
      if (power[1] === 'GET') return json(response, 200, site.tasks.get(power[2]) ?? { state: 'running' });
      const { action } = (await bodyOf(request)) as { action: string };
      site.powerActions.push(`${power[2]} ${action}`);
      return json(response, 202, { task: 'a-task' });
    }
    if (route === 'POST /api/v1/logout') {
      site.signedIn = false;
      response.writeHead(204).end();
      return;
    }
    if (route === 'GET /api/v1/consoles') {
      if (site.listReply) return refuse(response, site.listReply);
      return json(response, 200, {
        consoles: site.machines,
        ...(site.stale === undefined ? {} : { stale: true, staleSeconds: site.stale }),
      });
    }
    const grant = /^POST \/api\/v1\/consoles\/([^/]+)\/(\d+)\/grants$/.exec(route);
    if (grant?.[2]) {
      const refusal = site.grantReplies.shift();
      if (refusal) return refuse(response, refusal);
      const { mode } = (await bodyOf(request)) as { mode: string };
      site.grants.push({ vmid: grant[2], mode });
      grantNumber += 1;
      const machine = site.machines.find((each) => String(each.vmid) === grant[2]) ?? aMachine();
      return json(response, 201, {
        id: `support-${grantNumber}`,
        url: `${site.origin.replace('http', 'ws')}/relay/v1/console`,
        protocols: ['porthole.v1', `porthole.grant.token${grantNumber}`],
        page: url.pathname,
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
        machine: { name: machine.name, type: machine.type, node: machine.node },
        allow: machine.allow,
      });
    }
    const page =
      url.pathname === '/' || url.pathname === '/sessions'
        ? '/index.html'
        : url.pathname.startsWith('/console/')
          ? '/console.html'
          : url.pathname;
    await file(page, response);
  }

  async function file(path: string, response: ServerResponse): Promise<void> {
    const full = normalize(join(dist, path));
    const type = types[extname(full)];
    if (!full.startsWith(dist) || !type) {
      response.writeHead(404).end();
      return;
    }
    const body = await readFile(full).catch(() => undefined);
    response.writeHead(body ? 200 : 404, { 'content-type': type, 'content-security-policy': csp });
    response.end(body);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(site, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
