import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintGrant } from '@porthole/shared/grant';
import { systemClock } from '@porthole/shared/clock';
import { createLog } from '@porthole/shared/log';
import { randomId, systemRandom } from '@porthole/shared/random';
import { createSessionRecords } from '@porthole/shared/session-records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { createRedisStore } from '@porthole/shared/store/redis';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { createFakeProxmox, type FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { freePort, startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { aGrant, grantKey, testOrigin } from '../relay/rig.ts';
import { startProcess, type ServiceProcess } from '../standalone/service-process.ts';
import { simulatePage, type SimulatedPage } from './person.ts';

/** How many consoles are open while relays come and go: MOVING_CONSOLES=300 for the whole of it. */
const consoles = Number(process.env['MOVING_CONSOLES'] ?? 60);
const machines = 30;
const account = { tokenid: 'porthole@pve!relay', secret: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' };

describeWith('redis')(`${consoles} consoles over three relays`, () => {
  let folder: string;
  let redis: RedisServer;
  let store: Store;
  let proxmox: FakeProxmox;
  let relays: ServiceProcess[];
  let urls: string[];
  let pages: SimulatedPage[];
  const figures: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'porthole-moving-'));
    redis = await startRedisServer();
    store = createRedisStore({
      redis: { mode: 'standalone', url: redis.url },
      keys: () => [grantKey],
      log: createLog({ service: 'test', level: 'silent' }),
    });
    await store.start();
    proxmox = await createFakeProxmox({
      users: [
        {
          userid: 'porthole@pve',
          password: 'unused',
          acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] },
        },
      ],
      tokens: [{ ...account, privsep: false }],
      // A hundred consoles is what one node can have; six nodes have room for all of them twice.
      nodes: Array.from({ length: 6 }, (_, i) => ({ name: `pve${i + 1}`, address: `127.0.0.${i + 2}` })),
      guests: Array.from({ length: machines }, (_, i) => ({
        vmid: 100 + i,
        node: `pve${(i % 6) + 1}`,
        name: `lab-${100 + i}`,
        // Small screens: what is measured are the relays, not how fast this process can paint and look.
        guest: createBuiltinGuest({ name: `lab-${100 + i}`, width: 320, height: 200 }),
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
      limits: { upgradesPerMinute: 100_000, waitingPerRelay: 1000 },
    };
    await writeFile(join(folder, 'porthole.yaml'), JSON.stringify(config));
    const ports = [await freePort(), await freePort(), await freePort()];
    urls = ports.map((port) => `ws://127.0.0.1:${port}/relay/v1/console`);
    relays = ports.map((port) =>
      startProcess('services/relay/src/main.ts', [], {
        PORTHOLE_CONFIG: join(folder, 'porthole.yaml'),
        PORTHOLE_LISTEN: `127.0.0.1:${port}`,
        PORTHOLE_OPERATIONS_LISTEN: '127.0.0.1:0',
        PORTHOLE_LOG_LEVEL: 'info',
      }),
    );
    await Promise.all(relays.map((relay) => relay.printed('"ready"')));
    pages = Array.from({ length: consoles }, (_, i) =>
      simulatePage({
        urls,
        first: i,
        step: 1 + (Math.floor(i / 3) % 2),
        origin: testOrigin,
        askGrant: () => grantFor(i),
      }),
    );
    await Promise.all(pages.map(({ open }) => open));
  }, 120_000);

  afterAll(async () => {
    console.info(figures.join('\n'));
    for (const relay of relays) relay.signal('SIGKILL');
    await store.stop();
    await redis.stop();
    await proxmox.close();
    await rm(folder, { recursive: true });
  });

  function grantFor(i: number): Promise<string> {
    // Each relay has people at every machine, and each machine people of every relay.
    const vmid = 100 + (Math.floor(i / 3) % machines);
    return mintGrant(
      { records: store.records, keys: () => [grantKey], random: systemRandom, clock: systemClock },
      aGrant(systemClock, {
        sessionId: randomId(systemRandom),
        user: { id: `student-${i}`, name: 'Student', groups: [] },
        vmid,
        node: `pve${((vmid - 100) % 6) + 1}`,
        machineName: `lab-${vmid}`,
        limits: { sessionSeconds: 3600, idleSeconds: 3600, perUser: 1, perMachine: 30 },
      }),
    );
  }

  const sessions = () =>
    createSessionRecords({ ...store, keys: () => [grantKey], random: systemRandom }).list(
      leaseNames.everyone,
    );

  /** Everybody who was at this relay is back with a picture; answers how long each was without. */
  async function allBack(hit: readonly SimulatedPage[], before: readonly number[]): Promise<number[]> {
    await eventually(
      'everybody is back',
      () => hit.every(({ interruptions }, i) => interruptions.length > (before[i] ?? 0)),
      60_000,
    );
    return hit
      .map(({ interruptions }) => interruptions.at(-1))
      .map((last) => (last ? last.backAt - last.lostAt : 0))
      .toSorted((a, b) => a - b);
  }

  async function signal(which: number, name: 'SIGTERM' | 'SIGKILL') {
    const hit = pages.filter(({ relay }) => relay === which);
    const before = hit.map(({ interruptions }) => interruptions.length);
    relays[which]?.signal(name);
    const times = await allBack(hit, before);
    tell(name, times);
    return { hit, times };
  }

  function tell(what: string, times: readonly number[]): void {
    const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
    figures.push(
      `${what}: ${times.length} of ${consoles} consoles, without a picture for ${at(0.5)} ms (median), ${at(0.95)} ms (p95), ${at(1)} ms (longest)`,
    );
  }

  test('a relay that is told to leave hands its consoles over, and exits', async () => {
    const { hit, times } = await signal(0, 'SIGTERM');
    expect(new Set(hit.flatMap(({ interruptions }) => interruptions.map(({ code }) => code)))).toEqual(
      new Set([1012]),
    );
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(5000);
    expect(await relays[0]?.exited).toBe(0);
    expect(pages.every(({ asked }) => asked === 1)).toBe(true);
  }, 90_000);

  test('a relay that is killed loses its consoles to the others', async () => {
    const { times } = await signal(1, 'SIGKILL');
    expect(times.at(-1)).toBeLessThan(30_000);
  }, 90_000);

  test('nothing was used twice, nobody is counted twice, nothing leaks at Proxmox', async () => {
    await eventually('everybody has a picture', () => proxmox.openConsoles() === consoles, 30_000);
    const used = pages.flatMap((page) => page.used);
    expect(new Set(used).size).toBe(used.length);
    const asked = pages.reduce((sum, page) => sum + page.asked, 0);
    figures.push(`new grants besides the first ones: ${asked - consoles}`);
    const live = await sessions();
    expect(live).toHaveLength(consoles);
    expect(new Set(live.map(({ relay }) => relay)).size).toBe(1);
    expect(proxmox.violations).toEqual([]);
  }, 60_000);

  test('when everybody has left, no record and no console is left', async () => {
    await Promise.all(pages.map((page) => page.leave()));
    await eventually('Proxmox has no console', () => proxmox.openConsoles() === 0, 30_000);
    await eventually('no record is left', async () => (await sessions()).length === 0, 60_000);
    const lines = relays.map((relay) => relay.output()).join('\n');
    for (const token of pages.flatMap((page) => page.used)) expect(lines).not.toContain(token);
  }, 90_000);
});
