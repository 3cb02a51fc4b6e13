import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createBroker } from '@porthole/broker/broker';
import { defaultDeadlines, type Deadlines } from '@porthole/relay/upstream/deadlines';
import { createRelay, type Relay } from '@porthole/relay/relay';
import { systemClock } from '@porthole/shared/time/clock';
import { grantKeysOf } from '@porthole/shared/config/read';
import { configSchema } from '@porthole/shared/config/schema';
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
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
  type GuestOptions,
} from '../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../free-port.ts';
import {
  configOf,
  everythingAllowed,
  grantKey,
  proxmoxAccount,
  type StackConfigOptions,
} from './stack-config.ts';

const pagesDir = fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url));

export interface StackOptions extends StackConfigOptions {
  readonly machines: readonly GuestOptions[];
  readonly proxmox?: Omit<FakeProxmoxOptions, 'guests'>;
  /** Default: a free port. */
  readonly port?: number;
  /** Port of a separate relay. Default: a free port. */
  readonly relayPort?: number;
  /** Starts broker and relay as separate instances, each on its own port. Default: standalone. */
  readonly separate?: boolean;
  /** These options apply to separate instances. */
  readonly deadlines?: Partial<Deadlines>;
  /** Fields of the cluster's configuration for the relay only. */
  readonly relayCluster?: Record<string, unknown>;
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
  const config = configSchema.parse(configOf(options, proxmox, { port }));
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
  const raw = configOf(options, proxmox, ports);
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
