import { randomBytes, scryptSync } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker, type Broker } from '@porthole/broker/broker';
import type { AuditEvent } from '@porthole/shared/audit/events';
import { systemClock, type Clock } from '@porthole/shared/time/clock';
import type { AccessRule } from '@porthole/shared/config/access-schema';
import { configSchema, type Config } from '@porthole/shared/config/schema';
import { constantSecret, type Secret } from '@porthole/shared/config/secret';
import { createLifecycle } from '@porthole/shared/process/lifecycle';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { Store } from '@porthole/shared/store/ports';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { readOpenApi } from './openapi.ts';
import { createFakeProxmox, type FakeProxmox, type GuestOptions } from '../fakes/proxmox/fake-proxmox.ts';

/** A broker on a real port in front of a simulated Proxmox, and a browser's manners to talk to it. */
export const password = 'correct horse battery staple';
export const grantKey = 'a grant key of at least 32 characters';
export const brokerToken = { tokenid: 'porthole@pve!broker', secret: '0d3c6a51-7f3e-4b51-9a0e-2f1f1c0de001' };

type ConfigInput = z.input<typeof configSchema>;

/** As `npm run user` would print it, but cheap. */
export function aUser(name: string, ...groups: string[]): string {
  return userEntry(name, password, groups);
}

/** By password: every broker has the same users, and a hash takes 10 ms. */
const hashes = new Map<string, string>();

function hashOf(secret: string): string {
  const known = hashes.get(secret);
  if (known !== undefined) return known;
  const salt = randomBytes(16);
  const hash = scryptSync(secret, salt, 32, { N: 4096, r: 8, p: 1 });
  const text = `scrypt$4096$8$1$${salt.toString('base64')}$${hash.toString('base64')}`;
  hashes.set(secret, text);
  return text;
}

export function userEntry(name: string, secret: string, groups: readonly string[] = []): string {
  const text = hashOf(secret);
  return `  - name: ${JSON.stringify(name)}\n    password: ${text}\n    groups: ${JSON.stringify(groups)}\n`;
}

export const usersFile = (...entries: string[]): string => `users:\n${entries.join('')}`;

export const everyoneControlsAll: AccessRule[] = [
  { who: { everyone: true }, which: { all: true }, allow: ['control'] },
];

export const someGuests: readonly GuestOptions[] = [
  { vmid: 101, node: 'pve1', name: 'lab-anna', tags: ['lab', 'linux'], pool: 'class-a' },
  { vmid: 102, node: 'pve2', name: 'lab-ben', tags: ['lab'] },
  { vmid: 110, node: 'pve1', name: 'lab-10', running: false },
  { vmid: 200, node: 'pve2', name: 'teacher', type: 'lxc' },
  { vmid: 900, node: 'pve1', name: 'golden', template: true },
];

const closing: (() => Promise<unknown>)[] = [];

/** To be called in `afterEach` of every file that starts brokers. */
export async function closeBrokers(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}

export async function aCluster(
  guests: readonly GuestOptions[] = someGuests,
  vmPrivileges: readonly string[] = [],
): Promise<FakeProxmox> {
  const fake = await createFakeProxmox({
    unauthorizedDelayMs: 0,
    statusRefreshMs: 0,
    users: [
      {
        userid: 'porthole@pve',
        password: 'unused',
        acl: { '/vms': ['VM.Audit', ...vmPrivileges], '/pool': ['Pool.Audit'] },
      },
    ],
    tokens: [{ ...brokerToken, privsep: false }],
    guests,
  });
  closing.push(() => fake.close());
  return fake;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  // Tests look where they know something to be.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: string | Buffer;
}

export interface Rig {
  readonly broker: Broker;
  readonly store: Store;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly config: Config;
  readonly port: number;
  /** Every line that was logged, as text. */
  readonly log: string[];
  /** Every event for the audit. */
  readonly audited: AuditEvent[];
  /** A request exactly as given. */
  ask(path: string, asking?: Asking): Promise<Answer>;
  /** A browser: keeps its cookie, and marks requests as same-origin. */
  browser(): Browser;
  signedIn(name: string): Promise<Browser>;
}

export interface Browser {
  cookie: string | undefined;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  delete(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  signIn(username: string, secret?: string): Promise<Answer>;
}

export interface RigOptions {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly proxmox?: readonly { readonly name: string; readonly fake: FakeProxmox }[];
  readonly users?: Secret;
  readonly config?: Partial<ConfigInput>;
  /** Of each cluster's part of the configuration. */
  readonly cluster?: { readonly nodeShells?: boolean };
  readonly pages?: Readonly<Record<string, string>>;
}

export const somePages = {
  'index.html': '<!doctype html><title>Lobby</title>',
  'console.html': '<!doctype html><title>Console</title>',
  'assets/app-1a2b.js': `export const padding = '${'x'.repeat(2000)}';\n`,
  '.vite/manifest.json': '{}',
};

export async function startBroker(options: RigOptions = {}): Promise<Rig> {
  const clock = options.clock ?? systemClock;
  const store = options.store ?? createMemoryStore({ clock });
  const config = aConfig(options);
  const registry = createRegistry();
  const log: string[] = [];
  const audited: AuditEvent[] = [];
  const broker = createBroker({
    config,
    store,
    clock,
    random: randomBytes,
    log: createLog({
      service: 'broker',
      level: 'debug',
      destination: { write: (line) => void log.push(line) },
    }),
    registry,
    audit: (event) => void audited.push(event),
    pagesDir: await aPagesFolder(options.pages ?? somePages),
  });
  const server = createPublicServer({ listen: config.listen, onRequest: broker.onRequest });
  const lifecycle = createLifecycle({
    clock: systemClock,
    log: createLog({ service: 'test', level: 'silent' }),
    components: [...broker.components, server],
  });
  await lifecycle.start();
  closing.push(() => lifecycle.stop());
  const { port } = server.address();
  const ask = (path: string, asking?: Asking) => askAt(port, path, asking);
  const browser = () => aBrowser(ask);
  return {
    broker,
    store,
    clock,
    registry,
    config,
    port,
    log,
    audited,
    ask,
    browser,
    async signedIn(name) {
      const one = browser();
      const answer = await one.signIn(name);
      if (answer.status !== 200) throw new Error(`${name} can't sign in: ${answer.text}`);
      return one;
    },
  };
}

export function aConfig({ proxmox = [], users, config = {}, cluster = {} }: RigOptions = {}): Config {
  const clusters = proxmox.map(({ name, fake }) => ({
    name,
    urls: [fake.url()],
    credential: { token: brokerToken.tokenid, secret: constantSecret(brokerToken.secret) },
    tls: { caFile: constantSecret(fake.caPem) },
    ...cluster,
  }));
  const nowhere = {
    name: 'proxmox',
    urls: ['https://127.0.0.1:1'],
    credential: { token: brokerToken.tokenid, secret: constantSecret(brokerToken.secret) },
  };
  return configSchema.parse({
    listen: '127.0.0.1:0',
    grantKeys: constantSecret(grantKey),
    clusters: clusters.length > 0 ? clusters : [nowhere],
    signIn: {
      local: { usersFile: users ?? constantSecret(usersFile(aUser('anna', 'class-a'), aUser('ben'))) },
    },
    access: everyoneControlsAll,
    ...config,
  } satisfies ConfigInput);
}

async function aPagesFolder(pages: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-pages-'));
  closing.push(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(pages)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Not `fetch`: that tidies paths and headers up before anybody sees them. */
function askAt(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, raw }: Asking = {},
): Promise<Answer> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        headers: {
          ...(sent === undefined
            ? method === 'GET' || method === 'HEAD'
              ? {}
              : { 'content-length': '0' }
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(sent)) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const answer: Answer = {
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text: bytes.toString(),
            get json() {
              return JSON.parse(bytes.toString());
            },
          };
          const fault = faultOf(method, path, answer);
          if (fault === undefined) resolve(answer);
          else reject(new Error(fault));
        });
      },
    );
    request.on('error', reject);
    request.end(sent);
  });
}

const openApi = readOpenApi();

/** Every answer of every test must be as docs/openapi.yaml says. Undefined: it is. */
function faultOf(method: string, path: string, answer: Answer): string | undefined {
  const operation = openApi.operationAt(method, path);
  return operation === undefined ? undefined : openApi.faultOf(operation, answer);
}

function aBrowser(ask: Rig['ask']): Browser {
  const send = async (path: string, asking: Asking) => {
    const answer = await ask(path, {
      ...asking,
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(browser.cookie ? { cookie: browser.cookie } : {}),
        ...asking.headers,
      },
    });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';', 1);
      browser.cookie = pair.endsWith('=') ? undefined : pair;
    }
    return answer;
  };
  const browser: Browser = {
    cookie: undefined,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, body, headers = {}) => send(path, { method: 'POST', body, headers }),
    delete: (path, headers = {}) => send(path, { method: 'DELETE', headers }),
    signIn: (username, secret = password) => browser.post('/api/v1/login', { username, password: secret }),
  };
  return browser;
}
