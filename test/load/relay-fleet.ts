import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@porthole/shared/time/clock';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { mintGrant } from '@porthole/shared/grant/grant';
import { createLog } from '@porthole/shared/telemetry/log';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { createSessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import { createBuiltinGuest, type BuiltinGuest } from '../fakes/guests/builtin.ts';
import { delayProfiles, type DelayProfileName } from '../fakes/proxmox/delay-profiles.ts';
import { createFakeProxmox, type FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../free-port.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { aGrant, grantKey, testOrigin } from '../relay/rig.ts';
import { startProcess, type ServiceProcess } from '../standalone/service-process.ts';

const account = { tokenid: 'porthole@pve!relay', secret: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' };

export interface RelayProcess {
  readonly port: number;
  readonly operations: number;
  readonly url: string;
  readonly process: ServiceProcess;
}

/** A Proxmox with machines, a real Redis, and relay processes that tests start and stop. */
export interface RelayFleet {
  readonly proxmox: FakeProxmox;
  readonly store: Store;
  readonly relays: readonly RelayProcess[];
  /** By vmid. */
  readonly guests: ReadonlyMap<number, BuiltinGuest>;
  /** Resolves when the relay is ready. */
  startRelay(): Promise<RelayProcess>;
  /** Starts a relay again that has ended, as Kubernetes does with a container: with its spool. */
  restartRelay(relay: RelayProcess): Promise<void>;
  grantFor(person: number, claims?: Partial<GrantClaims>): Promise<string>;
  sessions(): Promise<readonly { readonly relay: string }[]>;
  stop(): Promise<void>;
}

export async function startRelayFleet({
  limits = {},
  delays = 'quick',
  sharing = false,
  machines = 30,
  nodes = 6,
  recordings,
  flushSeconds = 1,
}: {
  readonly limits?: object;
  readonly delays?: DelayProfileName;
  /** Whether relays share the consoles of machines, and reach each other. */
  readonly sharing?: boolean;
  readonly machines?: number;
  readonly nodes?: number;
  /** The setting of the relays. Each gets a spool of its own. */
  readonly recordings?: object;
  readonly flushSeconds?: number;
} = {}): Promise<RelayFleet> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-moving-'));
  const redis = await startRedisServer();
  const store = createRedisStore({
    redis: { mode: 'standalone', url: redis.url },
    keys: () => [grantKey],
    log: createLog({ service: 'test', level: 'silent' }),
  });
  await store.start();
  // Small screens, so that painting in this process does not limit the relays.
  const guests = new Map(
    Array.from({ length: machines }, (_, i) => [
      100 + i,
      createBuiltinGuest({ name: `lab-${100 + i}`, width: 320, height: 200 }),
    ]),
  );
  const proxmox = await createFakeProxmox({
    ...delayProfiles[delays],
    users: [
      {
        userid: 'porthole@pve',
        password: 'unused',
        acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] },
      },
    ],
    tokens: [{ ...account, privsep: false }],
    // A node has ports for 100 consoles, so six nodes have room for twice the 300 consoles of `npm run rehearse`.
    nodes: Array.from({ length: nodes }, (_, i) => ({ name: `pve${i + 1}`, address: `127.0.0.${i + 2}` })),
    guests: [...guests].map(([vmid, guest]) => ({
      vmid,
      node: `pve${((vmid - 100) % nodes) + 1}`,
      name: `lab-${vmid}`,
      guest,
    })),
  });
  await writeFile(join(folder, 'ca.pem'), proxmox.caPem);
  await writeFile(join(folder, 'users.yaml'), 'users: []\n');
  const config = {
    publicUrl: testOrigin,
    redis: { url: redis.url },
    grantKeys: grantKey,
    clusters: [
      {
        name: 'lab',
        urls: proxmox.url('pve1'),
        credential: { token: account.tokenid, secret: account.secret },
        tls: { caFile: join(folder, 'ca.pem') },
      },
    ],
    signIn: { local: { usersFile: join(folder, 'users.yaml') } },
    limits: { upgradesPerMinute: 100_000, queuedPerRelay: 1000, ...limits },
  };
  const relays: RelayProcess[] = [];
  const restarted: ServiceProcess[] = [];
  const fileOf = (port: number) => join(folder, `relay-${port}.yaml`);
  async function run({
    port,
    operations,
  }: Pick<RelayProcess, 'port' | 'operations'>): Promise<ServiceProcess> {
    const process = startProcess('services/relay/src/main.ts', [], {
      PORTHOLE_CONFIG: fileOf(port),
      PORTHOLE_LISTEN: `127.0.0.1:${port}`,
      PORTHOLE_OPERATIONS_LISTEN: `127.0.0.1:${operations}`,
      PORTHOLE_LOG_LEVEL: 'info',
    });
    await process.printed('"ready"');
    return process;
  }

  return {
    proxmox,
    store,
    relays,
    guests,
    async startRelay() {
      const [port, operations, internal] = [await freePort(), await freePort(), await freePort()];
      const internalAddress = `127.0.0.1:${internal}`;
      const shared = { enabled: true, internalAddress, internalListen: internalAddress };
      await writeFile(
        fileOf(port),
        JSON.stringify({
          ...config,
          sharing: sharing ? shared : { enabled: false },
          ...(recordings
            ? {
                recordings: {
                  ...recordings,
                  spool: { directory: join(folder, `spool-${port}`), flushSeconds },
                },
              }
            : {}),
        }),
      );
      const process = await run({ port, operations });
      const relay = { port, operations, process, url: `ws://127.0.0.1:${port}/relay/v1/console` };
      relays.push(relay);
      return relay;
    },
    async restartRelay(relay) {
      restarted.push(await run(relay));
    },
    grantFor(person, claims = {}) {
      // Each relay has consoles of every machine.
      const vmid = 100 + (Math.floor(person / 3) % machines);
      return mintGrant(
        { records: store.records, keys: () => [grantKey], random: systemRandom, clock: systemClock },
        aGrant(systemClock, {
          sessionId: randomId(systemRandom),
          user: { id: `student-${person}`, name: 'Student', groups: [] },
          vmid,
          node: `pve${((vmid - 100) % nodes) + 1}`,
          machineName: `lab-${vmid}`,
          limits: { sessionSeconds: 3600, idleSeconds: 3600, perUser: 1, perMachine: 30 },
          ...claims,
        }),
      );
    },
    sessions: () =>
      createSessionRecords({ ...store, keys: () => [grantKey], random: systemRandom }).list(
        leaseNames.allSessions,
      ),
    async stop() {
      for (const process of [...relays.map((relay) => relay.process), ...restarted])
        process.signal('SIGKILL');
      await store.stop();
      await redis.stop();
      await proxmox.close();
      await rm(folder, { recursive: true });
    },
  };
}
