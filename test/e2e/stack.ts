import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createBroker } from '@porthole/broker/broker';
import { hashPassword } from '@porthole/broker/sign-in/local/password-hash';
import { defaultDeadlines, type Deadlines } from '@porthole/relay/upstream/deadlines';
import { createRelay, type Relay } from '@porthole/relay/relay';
import { systemClock } from '@porthole/shared/time/clock';
import { grantKeysOf } from '@porthole/shared/config/read';
import { configSchema, type Config } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { createLifecycle, type Lifecycle } from '@porthole/shared/process/lifecycle';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { openStore } from '@porthole/shared/store/open';
import type { Store } from '@porthole/shared/store/ports';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import { createStandalone } from '@porthole/standalone/standalone';
import { stringify } from 'yaml';
import type { z } from 'zod';
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
  type GuestOptions,
} from '../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../free-port.ts';

const pagesDir = fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url));

/** The password of both users. */
export const password = 'a sunny day at the pier';
export const proxmoxAccount = {
  userid: 'porthole@pve',
  password: 'the-password-of-the-proxmox-account',
  token: 'porthole@pve!e2e',
  secret: 'c0ffee00-1111-4222-8333-444455556666',
} as const;
export const everythingAllowed = { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit', 'Pool.Audit'] };
const grantKey = 'the key that seals grants and sign-ins';

export interface StackOptions {
  readonly machines: readonly GuestOptions[];
  readonly proxmox?: Omit<FakeProxmoxOptions, 'guests'>;
  readonly credential?: 'token' | 'password';
  readonly limits?: Partial<Config['limits']>;
  /** Default: a free port. */
  readonly port?: number;
  /** Port of a separate relay. Default: a free port. */
  readonly relayPort?: number;
  /** Settings that replace the defaults. */
  readonly settings?: (origin: string) => Partial<z.input<typeof configSchema>>;
  /** Default: `defaultRules`. */
  readonly rules?: Pick<z.input<typeof configSchema>, 'access' | 'classes'>;
  /** Starts broker and relay as separate instances, each on its own port. Default: standalone. */
  readonly separate?: boolean;
  /** These options apply to separate instances. */
  readonly deadlines?: Partial<Deadlines>;
  /** Fields of the cluster's configuration for the relay only. */
  readonly relayCluster?: Record<string, unknown>;
  /** Default: one in-memory store for both. */
  readonly redisUrl?: string;
  readonly relayStore?: (store: Store) => Store;
  readonly brokerTracing?: Tracing;
  readonly relayTracing?: Tracing;
}

export interface Stack {
  /** Origin of the pages. */
  readonly origin: string;
  readonly proxmox: FakeProxmox;
  /** Log lines so far, of both services. */
  readonly logged: readonly string[];
  readonly grantKey: string;
  /** Resets every connection between a browser and the relay. */
  cutConnections(): void;
  /** Replaces the relay: a new one takes over the port, then the old one drains. */
  rollRelay(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything between a browser and a machine, with a simulated Proxmox. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const proxmox = await createFakeProxmox({
    unauthorizedDelayMs: 20,
    statusRefreshMs: 0,
    qmStartMs: 5,
    users: [{ userid: proxmoxAccount.userid, password: proxmoxAccount.password, acl: everythingAllowed }],
    tokens: [{ tokenid: proxmoxAccount.token, secret: proxmoxAccount.secret, privsep: false }],
    ...options.proxmox,
    guests: options.machines,
  });
  const logged: string[] = [];
  const log = createLog({
    service: 'e2e',
    level: 'debug',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const lines = new Set<Duplex>();
  const remember = (_request: IncomingMessage, socket: Duplex) => {
    lines.add(socket);
    socket.once('close', () => lines.delete(socket));
  };
  const start = options.separate ? startSeparate : startTogether;
  const services = await start({ options, proxmox, log, remember }).catch(async (error: unknown) => {
    await proxmox.close();
    throw error;
  });
  const cutLines = () => {
    for (const line of lines) line.destroy();
  };
  return {
    origin: services.origin,
    proxmox,
    logged,
    grantKey,
    cutConnections: cutLines,
    rollRelay: services.rollRelay,
    async stop() {
      cutLines();
      await services.stop();
      await proxmox.close();
    },
  };
}

interface StackContext {
  readonly options: StackOptions;
  readonly proxmox: FakeProxmox;
  readonly log: ReturnType<typeof createLog>;
  readonly remember: (request: IncomingMessage, socket: Duplex) => void;
}

interface Services {
  readonly origin: string;
  rollRelay(): Promise<void>;
  stop(): Promise<void>;
}

async function startTogether({ options, proxmox, log }: StackContext): Promise<Services> {
  const port = options.port ?? (await freePort());
  const config = configSchema.parse(await configOf(options, proxmox, { port }));
  const deps = {
    config,
    clock: systemClock,
    random: systemRandom,
    log,
    registry: createRegistry(),
    pagesDir,
  };
  const lifecycle = createLifecycle({
    clock: systemClock,
    log,
    components: createStandalone(deps).components,
  });
  await lifecycle.start();
  return {
    origin: config.publicUrl.origin,
    rollRelay: () => Promise.reject(new Error('The relay is not a separate instance.')),
    stop: lifecycle.stop,
  };
}

async function startSeparate({ options, proxmox, log, remember }: StackContext): Promise<Services> {
  const ports = {
    port: options.port ?? (await freePort()),
    relayPort: options.relayPort ?? (await freePort()),
  };
  const raw = await configOf(options, proxmox, ports);
  const config = configSchema.parse(raw);
  const relayConfig = configSchema.parse({
    ...raw,
    clusters: raw.clusters.map((cluster) => ({ ...cluster, ...options.relayCluster })),
  });
  const shared = options.redisUrl ? undefined : createMemoryStore({ clock: systemClock });
  const keys = config.grantKeys ? grantKeysOf(config.grantKeys) : () => [grantKey];
  const common = { keys, clock: systemClock, random: systemRandom, log };

  async function startBroker(): Promise<Lifecycle> {
    const store = shared ?? openStore(config, common);
    const registry = createRegistry();
    const broker = createBroker({
      ...common,
      config,
      store,
      registry,
      pagesDir,
      ...(options.brokerTracing ? { tracing: options.brokerTracing } : {}),
    });
    const server = createPublicServer({
      listen: config.listen,
      onRequest: broker.onRequest,
      maxConnections: config.limits.httpConnections,
      registry,
    });
    const storePart = { name: 'store', start: () => store.start(), stop: () => store.stop() };
    const parts = [storePart, ...broker.components, server];
    const lifecycle = createLifecycle({ clock: systemClock, log, components: parts });
    await lifecycle.start();
    return lifecycle;
  }

  async function startRelay(): Promise<{ relay: Relay; lifecycle: Lifecycle }> {
    const store = shared ?? openStore(relayConfig, common);
    const relay = createRelay({
      ...common,
      config: relayConfig,
      store: options.relayStore?.(store) ?? store,
      registry: createRegistry(),
      deadlines: { ...defaultDeadlines, ...options.deadlines },
      ...(options.relayTracing ? { tracing: options.relayTracing } : {}),
    });
    const own = shared ? [] : [{ name: 'store', start: () => store.start(), stop: () => store.stop() }];
    const lifecycle = createLifecycle({ clock: systemClock, log, components: [...own, ...relay.components] });
    await lifecycle.start();
    return { relay, lifecycle };
  }

  const broker = await startBroker();
  let current = await startRelay();
  // Like a Kubernetes Service: an address that stays while relays are replaced.
  const service = createPublicServer({
    listen: { host: '127.0.0.1', port: ports.relayPort },
    onRequest: (request, response) => current.relay.onRequest(request, response),
    maxConnections: config.limits.httpConnections,
    registry: createRegistry(),
    onUpgrade(request, socket, head) {
      remember(request, socket);
      current.relay.onUpgrade(request, socket, head);
    },
  });
  await service.start?.();

  return {
    origin: config.publicUrl.origin,
    async rollRelay() {
      const old = current;
      current = await startRelay();
      await old.lifecycle.stop();
    },
    async stop() {
      await current.lifecycle.stop();
      await service.stop?.();
      await broker.stop();
    },
  };
}

const defaultRules: NonNullable<StackOptions['rules']> = {
  access: [
    { who: { everyone: true }, which: { names: ['{user}-*'] }, allow: ['control', 'terminal'] },
    { who: { groups: ['class-a'] }, which: { tags: ['shared'] }, allow: ['view'] },
    { who: { groups: ['instructors'] }, which: { all: true }, allow: ['control'] },
  ],
};

async function configOf(
  { credential = 'token', limits, redisUrl, rules = defaultRules, settings }: StackOptions,
  proxmox: FakeProxmox,
  { port, relayPort }: { readonly port: number; readonly relayPort?: number },
) {
  const { userid, token, secret } = proxmoxAccount;
  return {
    publicUrl: `http://127.0.0.1:${port}`,
    ...(relayPort === undefined ? {} : { relayUrl: `ws://127.0.0.1:${relayPort}` }),
    listen: `127.0.0.1:${port}`,
    operationsListen: '127.0.0.1:0',
    grantKeys: constantSecret(grantKey),
    ...(redisUrl === undefined ? {} : { redis: { url: redisUrl } }),
    clusters: [
      {
        name: 'lab',
        urls: proxmox.url(),
        credential:
          credential === 'token'
            ? { token, secret: constantSecret(secret) }
            : { username: userid, password: constantSecret(proxmoxAccount.password) },
        tls: { caFile: constantSecret(proxmox.caPem) },
      },
    ],
    signIn: { local: { usersFile: constantSecret(await usersFile()) } },
    ...rules,
    limits: { ...limits },
    ...settings?.(`http://127.0.0.1:${port}`),
  };
}

let users: Promise<string> | undefined;

/** Password hashing is slow on purpose, so it is done once per test file. */
function usersFile(): Promise<string> {
  users ??= hashPassword(password, systemRandom).then((hash) =>
    stringify({
      users: [
        { name: 'student', displayName: 'Sam Student', groups: ['class-a'], password: hash },
        { name: 'instructor', displayName: 'Ina Instructor', groups: ['instructors'], password: hash },
      ],
    }),
  );
  return users;
}
