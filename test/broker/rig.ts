import { randomBytes } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
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
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
  type GuestOptions,
} from '../fakes/proxmox/fake-proxmox.ts';
import { cheapPasswordHash } from '../cheap-password-hash.ts';
import { aBrowser, askAt, type Answer, type Asking, type Browser } from './browser.ts';

/** A broker on a real port in front of a simulated Proxmox, and a browser's manners to talk to it. */
export const password = 'correct horse battery staple';
export const grantKey = 'a grant key of at least 32 characters';
export const brokerToken = { tokenid: 'porthole@pve!broker', secret: '0d3c6a51-7f3e-4b51-9a0e-2f1f1c0de001' };

type ConfigInput = z.input<typeof configSchema>;

export function aUser(name: string, ...groups: string[]): string {
  return userEntry(name, password, groups);
}

export function userEntry(name: string, secret: string, groups: readonly string[] = []): string {
  const text = cheapPasswordHash(secret);
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
  options: Pick<FakeProxmoxOptions, 'nodes'> = {},
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
    ...options,
  });
  closing.push(() => fake.close());
  return fake;
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

export interface RigOptions {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly proxmox?: readonly { readonly name: string; readonly fake: FakeProxmox }[];
  readonly users?: Secret;
  readonly config?: Partial<ConfigInput>;
  /** Of each cluster's part of the configuration. */
  readonly cluster?: { readonly nodeShells?: boolean };
  readonly pages?: Readonly<Record<string, string>>;
  /** The built pages, instead of `pages`. */
  readonly pagesDir?: string;
}

export const somePages = {
  'index.html': '<!doctype html><title>Lobby</title>',
  'console.html': '<!doctype html><title>Console</title>',
  'lti.html': '<!doctype html><title>Launch</title><script type="application/json" id="step"></script>',
  'recording.html': '<!doctype html><title>Recording</title>',
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
    pagesDir: options.pagesDir ?? (await aPagesFolder(options.pages ?? somePages)),
  });
  const server = createPublicServer({
    listen: config.listen,
    onRequest: broker.onRequest,
    maxConnections: config.limits.httpConnections,
    registry,
  });
  const lifecycle = createLifecycle({
    clock: systemClock,
    log: createLog({ service: 'test', level: 'silent' }),
    components: [...broker.components, server],
  });
  await lifecycle.start();
  closing.push(() => lifecycle.stop());
  const { port } = server.address();
  const ask = (path: string, asking?: Asking) => askAt(port, path, asking);
  const browser = () => aBrowser(ask, password);
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
