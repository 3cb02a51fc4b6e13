import type { AuditEvent } from '@porthole/shared/audit/events';
import type { Clock } from '@porthole/shared/time/clock';
import { systemClock } from '@porthole/shared/time/clock';
import { configSchema, type Limits } from '@porthole/shared/config/schema';
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
import { connectConsole, type ConsoleClient } from './console-client.ts';

export const testOrigin = 'http://localhost:8080';
export const relayToken = { id: 'porthole@pve!relay', secret: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' };
export const grantKey = 'k'.repeat(40);

export interface RelayRig {
  readonly proxmox: FakeProxmox;
  readonly guest: BuiltinGuest;
  readonly store: Store;
  readonly relay: Relay;
  readonly url: string;
  /** Log lines so far. */
  readonly logged: readonly string[];
  /** Events for the audit so far. */
  readonly audited: readonly AuditEvent[];
  metrics(): Promise<string>;
  /** A grant for machine 100 on pve1, with whatever should be different. */
  mint(different?: Partial<GrantClaims>): Promise<string>;
  connect(options?: { token?: string; origin?: string | null; protocols?: readonly string[] }): ConsoleClient;
  /** Mints and connects. */
  open(different?: Partial<GrantClaims>): Promise<ConsoleClient>;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly proxmox?: FakeProxmoxOptions;
  readonly store?: Store;
  /** Another relay of the same service: it shares its store and its Proxmox. */
  readonly beside?: RelayRig;
  readonly limits?: Partial<Limits>;
  readonly deadlines?: Partial<Deadlines>;
  readonly clock?: Clock;
  /** Changes the cluster's part of the configuration. */
  readonly cluster?: (url: string, caPem: string) => Record<string, unknown>;
}

/** A relay on a free port in front of a fake Proxmox with one built-in machine: 100 on pve1. */
export async function createRelayRig(options: RigOptions = {}): Promise<RelayRig> {
  const clock = options.clock ?? systemClock;
  const { beside } = options;
  const guest = beside?.guest ?? createBuiltinGuest({ name: 'lab-100' });
  const proxmox =
    beside?.proxmox ??
    (await createFakeProxmox({
      unauthorizedDelayMs: 20,
      statusRefreshMs: 0,
      qmStartMs: 5,
      tokens: [
        {
          tokenid: relayToken.id,
          secret: relayToken.secret,
          privsep: false,
        },
      ],
      users: [
        {
          userid: 'porthole@pve',
          password: 'relay-password',
          acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] },
        },
      ],
      guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'lab-100', guest, running: true }],
      ...options.proxmox,
    }));
  const config = configSchema.parse({
    publicUrl: testOrigin,
    clusters: [
      options.cluster?.(proxmox.url(), proxmox.caPem) ?? {
        name: 'lab',
        urls: proxmox.url(),
        credential: { token: relayToken.id, secret: constantSecret(relayToken.secret) },
        tls: { caFile: constantSecret(proxmox.caPem) },
      },
    ],
    signIn: { local: { usersFile: constantSecret('users: []') } },
    limits: { ...options.limits },
  });
  const logged: string[] = [];
  const audited: AuditEvent[] = [];
  const log = createLog({
    service: 'relay',
    level: 'debug',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const store = options.store ?? beside?.store ?? createMemoryStore({ clock });
  if (!beside) await store.start();
  const registry = createRegistry();
  const keys = () => [grantKey];
  const relay = createRelay({
    config,
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
    mint: (different) =>
      mintGrant({ records: store.records, keys, random: systemRandom, clock }, aGrant(clock, different)),
    connect: ({ token, origin = testOrigin, protocols } = {}) =>
      connectConsole({ url, token, origin: origin ?? undefined, ...(protocols ? { protocols } : {}) }),
    async open(different) {
      return rig.connect({ token: await rig.mint(different) });
    },
    async stop() {
      await lifecycle.stop();
      if (beside) return;
      await store.stop();
      await proxmox.close();
    },
  };
  return rig;
}

/** Claims that are good, with whatever should be different. */
export function aGrant(clock: Clock, different: Partial<GrantClaims> = {}): GrantClaims {
  return {
    version: 1,
    sessionId: randomId(systemRandom),
    loginRef: 'login-1',
    user: { id: 'student', name: 'Student', groups: [] },
    cluster: 'lab',
    node: 'pve1',
    type: 'qemu',
    vmid: 100,
    machineName: 'lab-100',
    mode: 'control',
    kind: 'screen',
    limits: { sessionSeconds: 3600, idleSeconds: 3600, perUser: 200, perMachine: 200 },
    origins: [testOrigin],
    issuedAt: clock.now(),
    expiresAt: clock.now() + 60_000,
    ...different,
  };
}
