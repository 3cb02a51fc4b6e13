import { request as httpsRequest } from 'node:https';
import { createFakeProxmox, type FakeProxmox, type FakeProxmoxOptions } from './fake-proxmox.ts';
import { connectRudely, upgradeRequest, type RudeClient } from './rude-client.ts';
import { createStubGuest, type StubGuest } from './stub-guest.ts';
import { createWatchedClock, type WatchedClock } from './watched-clock.ts';

/** A fake cluster for its own tests, and calls to it. */
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
