import { Redis } from 'ioredis';
import { startRedisGroup, type RedisGroup } from '../../../fakes/redis-sentinel.ts';
import { describeWith } from '../../../needs.ts';
import type { SentinelOptions } from '@porthole/shared/store/redis/options';
import { documentedRights } from './acl.ts';
import { exercise } from '../exercise-store.ts';
import { eventually } from '../../../eventually.ts';
import { recordedLog, withRedisStores, type OpenStore } from '../store-harness.ts';

const long = 600_000;

const password = 'server-password';
const sentinelPassword = 'sentinel-password';

interface Site {
  readonly group: RedisGroup;
  readonly open: OpenStore;
  readonly address: SentinelOptions;
}

/** Runs `steps` with a group of its own, so that the tests can run concurrently: they mostly wait. */
async function atGroup(steps: (site: Site) => Promise<void>): Promise<void> {
  const group = await startRedisGroup({ password, sentinelPassword });
  const address: SentinelOptions = {
    mode: 'sentinel',
    sentinels: group.sentinels,
    name: group.name,
    password: () => password,
    sentinelPassword: () => sentinelPassword,
  };
  try {
    await withRedisStores((open) => steps({ group, open, address }));
  } finally {
    await group.stop();
  }
}

describeWith('redis')('the store on Redis Sentinel', () => {
  test.concurrent.each(['dies', 'hangs'] as const)(
    'continues with the replica if the leader %s, with all data',
    (what) =>
      atGroup(async ({ group, open, address }) => {
        const { log, linesWith } = recordedLog();
        const [store, other] = [await open(address, log), await open(address)];
        const heard: string[] = [];
        store.signals.subscribe((message) => heard.push(message));
        await store.records.put('porthole:login:1', 'v', long);
        await store.leases.join('l', 'h', 1, long);
        // Redis does not guarantee that a failover loses no writes, so wait for the replica.
        const leader = new Redis(group.first.url);
        await leader.wait(1, 10_000);
        leader.disconnect();
        expect(await group.leader()).toBe(group.first.port);

        if (what === 'dies') await group.first.kill();
        else group.first.pause();
        await eventually(async () => expect(await group.leader()).toBe(group.second.port));
        await eventually(() => store.records.put('porthole:login:2', 'w', long));
        await eventually(() => other.records.put('porthole:login:3', 'x', long));
        expect(await store.records.get('porthole:login:1')).toBe('v');
        expect(await store.leases.join('l', 'other', 1, long)).toBe(1);
        await eventually(async () => {
          await other.signals.publish('moved');
          expect(heard).toContain('moved');
        });
        await eventually(() => expect(linesWith('redis is available again').length).toBeGreaterThan(0));

        // The old leader comes back, and is not used.
        if (what === 'dies') await group.first.restart();
        else group.first.resume();
        const follower = new Redis(group.first.url);
        await eventually(async () => expect(await follower.info('replication')).toContain('role:slave'));
        follower.disconnect();
        await exercise(store);
        expect(await store.records.get('porthole:login:2')).toBe('w');
      }),
    90_000,
  );

  test.concurrent(
    'needs only the documented rights, at the servers and at the sentinels',
    () =>
      atGroup(async ({ group, open, address }) => {
        for (const { url } of [group.first, group.second]) {
          const admin = new Redis(url);
          await admin.call(
            'ACL',
            'SETUSER',
            'porthole',
            'reset',
            'on',
            '>secret',
            ...documentedRights('acl'),
          );
          admin.disconnect();
        }
        for (const { port } of group.sentinels) {
          const admin = new Redis({ port, password: sentinelPassword });
          const rights = documentedRights('acl-sentinel');
          await admin.call('ACL', 'SETUSER', 'watcher', 'reset', 'on', '>look', ...rights);
          admin.disconnect();
        }
        const { log, lines } = recordedLog();
        const store = await open(
          {
            ...address,
            username: 'porthole',
            password: 'secret',
            sentinelUsername: 'watcher',
            sentinelPassword: 'look',
          },
          log,
        );
        await exercise(store);
        expect(lines).toEqual([]);
      }),
    60_000,
  );

  test.concurrent(
    'reads the password of the sentinels again before each attempt',
    () =>
      atGroup(async ({ open, address }) => {
        let current = 'not yet known';
        const store = await open({ ...address, sentinelPassword: () => current });
        expect(await store.healthy()).toBe(false);
        current = sentinelPassword;
        await eventually(async () => expect(await store.healthy()).toBe(true));
      }),
    60_000,
  );
});
