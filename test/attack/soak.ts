import { createRedisStore } from '@porthole/shared/store/redis/store';
import { createLog } from '@porthole/shared/telemetry/log';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { createFakeProxmox, type FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { startChild } from '../load/child.ts';
import { grantKey, relayToken } from '../relay/rig.ts';
import { createSeededRandom } from '../relay/seeded-random.ts';
import { createSoakClients, type SoakClient } from './soak-clients.ts';
import { exceeded, type Measured, type Resources, type SoakResult } from './soak-report.ts';

/** Clients at the same time. */
const concurrency = 24;
/** How long the relay may take to return to where it was, in seconds. */
const settleSeconds = 60;
const nodes = Array.from({ length: 4 }, (_, i) => ({ name: `pve${i + 1}`, address: `127.0.0.${i + 2}` }));
const machines = Array.from({ length: 12 }, (_, i) => ({
  vmid: 101 + i,
  node: `pve${1 + (i % nodes.length)}`,
}));

/**
 * Runs honest and hostile clients against one relay process. Measures what the relay holds before, when all kinds of
 * clients have been there once, and after, when all have left. Rejects if an honest client was treated badly.
 */
export async function soak(
  seconds: number,
  onProgress: (clients: number, secondsLeft: number) => void = () => {},
): Promise<SoakResult> {
  await using resources = new AsyncDisposableStack();
  const redis = await startRedisServer();
  resources.defer(() => redis.stop());
  const proxmox = await startProxmox();
  resources.defer(() => proxmox.close());
  const store = createRedisStore({
    redis: { mode: 'standalone', url: redis.url },
    keys: () => [grantKey],
    log: createLog({ service: 'soak', level: 'silent' }),
  });
  await store.start();
  resources.defer(() => store.stop());
  const relay = await startChild(
    '../attack/soak-relay.ts',
    [redis.url, proxmox.url(), proxmox.caPem],
    ['--expose-gc'],
  );
  resources.defer(() => relay.stop());

  const { port } = relay.ready as { port: number };
  const clients = createSoakClients({ port, store, proxmox, machines, random: createSeededRandom(5) });
  const kinds = Object.values(clients);
  const measure = () => relay.request<Measured>({});

  // Twice, so that code is compiled and caches are filled.
  await runAll([...kinds, ...kinds]);
  const start = await untilIdle(measure);
  const endsAt = Date.now() + seconds * 1000;
  let started = 0;
  const pick = createSeededRandom(6);
  async function work(): Promise<void> {
    while (Date.now() < endsAt) {
      started++;
      await kinds[pick(kinds.length)]?.();
      if (started % 1000 === 0) onProgress(started, Math.round((endsAt - Date.now()) / 1000));
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  const end = await untilSame(start, measure);
  return { seconds, clients: started, adopted: end.adopted, start, end };
}

async function runAll(clients: readonly SoakClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client()));
}

/** What the relay holds when no session is left and nothing has changed for some seconds. */
async function untilIdle(measure: () => Promise<Measured>): Promise<Measured> {
  let before = await measure();
  // Connections to Proxmox are kept for 3 seconds.
  for (let same = 0; same < 9;) {
    await sleep(systemClock, 500);
    const now = await measure();
    const isSame = now.fileDescriptors === before.fileDescriptors && now.timers === before.timers;
    const isIdle = now.sessions === 0 && now.connections === 0 && now.screens === 0;
    same = isSame && isIdle ? same + 1 : 0;
    before = now;
  }
  return before;
}

/** What the relay holds as soon as it is back at the start, or when it had enough time for that. */
async function untilSame(start: Resources, measure: () => Promise<Measured>): Promise<Measured> {
  const deadline = Date.now() + settleSeconds * 1000;
  for (;;) {
    const end = await measure();
    if (exceeded({ start, end }).length === 0 || Date.now() > deadline) return end;
    await sleep(systemClock, 500);
  }
}

function startProxmox(): Promise<FakeProxmox> {
  return createFakeProxmox({
    unauthorizedDelayMs: 20,
    statusRefreshMs: 0,
    qmStartMs: 5,
    nodes,
    tokens: [{ tokenid: relayToken.id, secret: relayToken.secret, privsep: false }],
    users: [
      { userid: 'porthole@pve', password: 'unused', acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] } },
    ],
    guests: machines.map(({ vmid, node }) => ({
      vmid,
      node,
      name: `lab-${vmid}`,
      guest: createBuiltinGuest({ name: `lab-${vmid}`, width: 160, height: 120 }),
      running: true,
    })),
  });
}
