import type { AuditEvent } from '@porthole/shared/audit/events';
import { systemClock, type Clock } from '@porthole/shared/time/clock';
import { configSchema, type Config, type Limits } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { mintGrant } from '@porthole/shared/grant/grant';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createLifecycle } from '@porthole/shared/process/lifecycle';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { Store } from '@porthole/shared/store/ports';
import { defaultDeadlines, type Deadlines } from '@porthole/relay/upstream/deadlines';
import { createRelay, type Relay } from '@porthole/relay/relay';
import { createBuiltinGuest, type BuiltinGuest } from '../fakes/guests/builtin.ts';
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
} from '../fakes/proxmox/fake-proxmox.ts';
import { someClaims } from '../shared/grant/sample-claims.ts';
import { connectConsole, type ConsoleClient } from './console-client.ts';

export const testOrigin = 'http://localhost:8080';
export const relayToken = { id: 'porthole@pve!relay', secret: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' };
export const grantKey = 'k'.repeat(40);

/** A running relay, its Proxmox and its store. */
export interface RelayRig {
  readonly proxmox: FakeProxmox;
  readonly guest: BuiltinGuest;
  readonly store: Store;
  readonly relay: Relay;
  readonly url: string;
  /** Log lines so far. */
  readonly logged: readonly string[];
  /** Audit events so far. */
  readonly audited: readonly AuditEvent[];
  metrics(): Promise<string>;
  /** Mints a grant for machine 100 on pve1, with other claims if given. Returns its token. */
  mint(overrides?: Partial<GrantClaims>): Promise<string>;
  connect(options?: { token?: string; origin?: string | null; protocols?: readonly string[] }): ConsoleClient;
  /** Mints a grant and connects with it. */
  open(overrides?: Partial<GrantClaims>): Promise<ConsoleClient>;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly proxmox?: FakeProxmoxOptions;
  readonly store?: Store;
  /** Another relay of the same installation: this one shares its store and its Proxmox. */
  readonly sharedWith?: RelayRig;
  readonly limits?: Partial<Limits>;
  readonly deadlines?: Partial<Deadlines>;
  readonly clock?: Clock;
  /** Default: consoles are not shared, because most tests are about consoles of their own. */
  readonly sharing?: Record<string, unknown>;
  /** Default: the relay does not record. */
  readonly recordings?: Record<string, unknown>;
  /** Consoles that the relay opens at the same time at one node. Default: 3. */
  readonly opensPerNode?: number;
  /** Replaces the cluster in the configuration. */
  readonly cluster?: (url: string, caPem: string) => Record<string, unknown>;
}

/** Starts a relay on a free port, with a fake Proxmox that has one built-in machine: 100 on pve1. */
export async function createRelayRig(options: RigOptions = {}): Promise<RelayRig> {
  const { clock = systemClock, sharedWith: other } = options;
  const guest = other?.guest ?? createBuiltinGuest({ name: 'lab-100' });
  const proxmox = other?.proxmox ?? (await startProxmox(guest, options.proxmox));
  const logged: string[] = [];
  const audited: AuditEvent[] = [];
  const log = createLog({
    service: 'relay',
    level: 'debug',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const store = options.store ?? other?.store ?? createMemoryStore({ clock });
  if (!other) await store.start();
  const registry = createRegistry();
  const keys = () => [grantKey];
  const relay = createRelay({
    config: createConfig(proxmox, options),
    keys,
    store,
    clock,
    random: systemRandom,
    log,
    registry,
    audit: (event) => void audited.push(event),
    deadlines: { ...defaultDeadlines, ...options.deadlines },
  });
  const server = createPublicServer({
    listen: { host: '127.0.0.1', port: 0 },
    onRequest: relay.onRequest,
    onUpgrade: relay.onUpgrade,
    maxConnections: options.limits?.httpConnections ?? 10_000,
    registry,
  });
  const lifecycle = createLifecycle({ clock: systemClock, log, components: [server, ...relay.components] });
  await lifecycle.start();
  const url = `ws://127.0.0.1:${server.address().port}/relay/v1/console`;

  const rig: RelayRig = {
    proxmox,
    guest,
    store,
    relay,
    url,
    logged,
    audited,
    metrics: () => registry.metrics(),
    mint: (overrides) =>
      mintGrant({ records: store.records, keys, random: systemRandom, clock }, aGrant(clock, overrides)),
    connect: ({ token, origin = testOrigin, protocols } = {}) =>
      connectConsole({ url, token, origin: origin ?? undefined, ...(protocols ? { protocols } : {}) }),
    async open(overrides) {
      return rig.connect({ token: await rig.mint(overrides) });
    },
    async stop() {
      await lifecycle.stop();
      if (other) return;
      await store.stop();
      await proxmox.close();
    },
  };
  return rig;
}

function startProxmox(guest: BuiltinGuest, options: FakeProxmoxOptions = {}): Promise<FakeProxmox> {
  return createFakeProxmox({
    unauthorizedDelayMs: 20,
    statusRefreshMs: 0,
    qmStartMs: 5,
    tokens: [{ tokenid: relayToken.id, secret: relayToken.secret, privsep: false }],
    users: [
      {
        userid: 'porthole@pve',
        password: 'relay-password',
        acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] },
      },
    ],
    guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'lab-100', guest, running: true }],
    ...options,
  });
}

function createConfig(
  proxmox: FakeProxmox,
  { cluster, limits, opensPerNode, sharing = { enabled: false }, recordings }: RigOptions,
): Config {
  return configSchema.parse({
    publicUrl: testOrigin,
    clusters: [
      cluster?.(proxmox.url(), proxmox.caPem) ?? {
        name: 'lab',
        urls: proxmox.url(),
        credential: { token: relayToken.id, secret: constantSecret(relayToken.secret) },
        tls: { caFile: constantSecret(proxmox.caPem) },
        opensPerNode,
      },
    ],
    signIn: { local: { usersFile: constantSecret('users: []') } },
    limits: { ...limits },
    sharing,
    ...(recordings ? { recordings } : {}),
  });
}

/** Returns a function that starts relays, and stops them after each test, the latest first. */
export function useRelayRigs(): (options?: RigOptions) => Promise<RelayRig> {
  let rigs: RelayRig[] = [];
  afterEach(async () => {
    for (const rig of rigs.splice(0).toReversed()) await rig.stop();
  });
  return async (options = {}) => {
    const rig = await createRelayRig(options);
    rigs = [...rigs, rig];
    return rig;
  };
}

/** Claims for machine 100 on pve1, with other values if given. */
export function aGrant(clock: Clock, overrides: Partial<GrantClaims> = {}): GrantClaims {
  return someClaims(clock, {
    sessionId: randomId(systemRandom),
    user: { id: 'student', name: 'Student', groups: [] },
    limits: { sessionSeconds: 3600, idleSeconds: 3600, perUser: 200, perMachine: 200 },
    origins: [testOrigin],
    ...overrides,
  });
}
