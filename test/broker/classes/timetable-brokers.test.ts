import { accessClass } from '@porthole/shared/config/access-schema';
import { createKeyedDigests } from '@porthole/shared/crypto/keyed-digests';
import { PortholeError } from '@porthole/shared/errors';
import { leaseNames, storeKeys } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import type { Store } from '@porthole/shared/store/ports';
import { createLog } from '@porthole/shared/telemetry/log';
import { Redis } from 'ioredis';
import { createFakeClock } from '../../fakes/clock.ts';
import { startRedisServer } from '../../fakes/redis-server.ts';
import { eventually } from '../../eventually.ts';
import { describeWith } from '../../needs.ts';
import { aCluster, closeBrokers, grantKey, startBroker, type Rig, type RigOptions } from '../rig.ts';
import { aClass } from './timetable-world.ts';

afterEach(closeBrokers);

test('three brokers start the machines of a class once, and shut them down once after the lesson', async () => {
  const clock = createFakeClock(Date.parse('2026-01-07T06:49:00Z'));
  const store = createMemoryStore({ clock });
  await store.start();
  const vmids = [101, 102, 103, 104];
  const fake = await aCluster(
    vmids.map((vmid) => ({
      vmid,
      node: `pve${1 + (vmid % 2)}`,
      name: `lab-${vmid}`,
      tags: ['lab'],
      running: false,
    })),
    ['VM.PowerMgmt'],
  );
  const options: RigOptions = {
    clock,
    store,
    proxmox: [{ name: 'school', fake }],
    config: { classes: [accessClass.parse(aClass())] },
  };
  const brokers: Rig[] = [];
  for (let index = 0; index < 3; index++) brokers.push(await startBroker(options));
  const audited = (action: string) =>
    brokers
      .flatMap((each) => each.audited)
      .flatMap((each) =>
        each.event === 'timetable_power' && each.action === action ? each.machine.vmid : [],
      )
      .toSorted((a, b) => a - b);
  const posts = (action: string) =>
    fake.calls.filter(({ method, path }) => method === 'POST' && path.endsWith(`/status/${action}`)).length;
  await eventually('all machines have been started', () => {
    clock.advance(1000);
    expect(audited('start')).toEqual(vmids);
  });
  const leaders = await Promise.all(
    brokers.map(async ({ registry }) =>
      /^porthole_broker_timetable_leader 1$/m.test(await registry.metrics()),
    ),
  );
  expect(leaders.filter(Boolean)).toHaveLength(1);
  const counted = await Promise.all(
    brokers.map(({ registry }) =>
      registry.getSingleMetricAsString('porthole_broker_timetable_actions_total'),
    ),
  );
  expect(counted.join('\n')).toMatch(/action="start",result="ok"\} 4/);
  clock.advance(Date.parse('2026-01-07T09:01:00Z') - clock.now());
  await eventually('all machines have been shut down', () => {
    clock.advance(1000);
    expect(audited('shutdown')).toEqual(vmids);
  });
  expect([posts('start'), posts('shutdown')]).toEqual([4, 4]);
});

/** A store that a broker loses for good, like a process that was killed. */
function killable(store: Store) {
  let killed = false;
  const underWay = new Set<Promise<unknown>>();
  const cut = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          if (killed) return Promise.reject(new PortholeError('store_unavailable'));
          const result: unknown = method.apply(target, args);
          const call: Promise<unknown> = Promise.allSettled([result]).then(() => underWay.delete(call));
          underWay.add(call);
          return result;
        };
      },
    });
  return {
    store: { ...store, records: cut(store.records), leases: cut(store.leases) },
    /** Resolves when no call is under way, which could still write. */
    async kill() {
      killed = true;
      await Promise.all(underWay);
    },
  };
}

describeWith('redis')('two brokers with a real Redis', () => {
  test('if the leader is killed between two machines, the other broker starts the rest, and each machine once', async () => {
    const redis = await startRedisServer();
    const clock = createFakeClock(Date.parse('2026-01-07T06:49:00Z'));
    const vmids = [101, 102, 103, 104, 105, 106];
    const fake = await aCluster(
      vmids.map((vmid) => ({ vmid, node: 'pve1', name: `lab-${vmid}`, tags: ['lab'], running: false })),
      ['VM.PowerMgmt'],
    );
    const brokers = await Promise.all(
      ['one', 'two'].map(async () => {
        const redisStore = createRedisStore({
          redis: { mode: 'standalone', url: redis.url },
          keys: () => [grantKey],
          log: createLog({ service: 'test', level: 'silent' }),
        });
        await redisStore.start();
        const { store, kill } = killable(redisStore);
        const rig = await startBroker({
          clock,
          store,
          proxmox: [{ name: 'school', fake }],
          config: { classes: [accessClass.parse(aClass())] },
        });
        return { rig, kill, store: redisStore };
      }),
    );
    const started = () =>
      fake.calls.flatMap(({ method, path }) =>
        method === 'POST' && path.endsWith('/status/start') ? Number(/\/(\d+)\/status/.exec(path)?.[1]) : [],
      );
    await eventually('a machine was started', () => {
      clock.advance(1000);
      return started().length > 0;
    });
    const leads = ({ rig }: (typeof brokers)[0]) =>
      rig.audited.some(({ event }) => event === 'timetable_power');
    const leader = await eventually('there is a leader', () => brokers.find(leads) ?? false);
    await leader.kill();
    const before = started().length;
    expect(before).toBeLessThan(vmids.length);
    // Its leases would expire by the clock of Redis, thirty seconds later.
    const client = new Redis(redis.url);
    const digests = createKeyedDigests(() => [grantKey]);
    const held = [leaseNames.timetable, leaseNames.startClass(accessClass.parse(aClass()).name)].map(
      digests.of,
    );
    const keys = held.flatMap((each) => [storeKeys.leaseOrder(each), storeKeys.leaseExpiry(each)]);
    expect(await client.del(...keys)).toBe(4);
    client.disconnect();
    await eventually('all machines have been started', () => {
      clock.advance(1000);
      return started().length >= vmids.length;
    });
    clock.advance(60_000);
    expect(started().toSorted((a, b) => a - b)).toEqual(vmids);
    const audited = brokers.map(
      ({ rig }) => rig.audited.filter(({ event }) => event === 'timetable_power').length,
    );
    expect(Math.min(...audited)).toBeGreaterThan(0);
    await closeBrokers();
    await Promise.all(brokers.map(({ store }) => store.stop()));
    await redis.stop();
  });
});
