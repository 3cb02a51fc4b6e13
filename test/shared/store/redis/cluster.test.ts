import { Redis } from 'ioredis';
import type { RedisOptions } from '@porthole/shared/store/redis/store';
import { startRedisCluster, type RedisCluster } from '../../../fakes/redis-cluster.ts';
import { startRedisServer, type RedisServer } from '../../../fakes/redis-server.ts';
import { freePort } from '../../../free-port.ts';
import { describeWith } from '../../../needs.ts';
import { documentedRights } from './acl.ts';
import { describeStore } from '../contract/describe-store.ts';
import { redisStoreUnderTest } from './store-under-test.ts';
import { exercise } from '../exercise-store.ts';
import { eventually } from '../../../eventually.ts';
import { recordedLog, withRedisStores, type OpenStore, rejectionOf } from '../store-harness.ts';

const password = 'cluster-password';

/** A cluster of one node also rejects commands on two slots. */
async function startCluster(): Promise<RedisServer> {
  const busPort = await freePort();
  const server = await startRedisServer({
    password,
    config: ['cluster-enabled yes', `cluster-port ${busPort}`, 'cluster-announce-ip 127.0.0.1'],
  });
  const admin = new Redis(server.url);
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  await eventually(async () => expect(await admin.cluster('INFO')).toContain('cluster_state:ok'));
  admin.disconnect();
  return server;
}

function address(server: RedisServer): RedisOptions {
  return { mode: 'cluster', nodes: [{ host: '127.0.0.1', port: server.port }], password: () => password };
}

/** Runs `steps` with a cluster of its own, so that the tests can run concurrently: they mostly wait. */
async function atCluster(steps: (cluster: RedisCluster, open: OpenStore) => Promise<void>): Promise<void> {
  const cluster = await startRedisCluster({ password });
  try {
    await withRedisStores((open) => steps(cluster, open));
  } finally {
    await cluster.stop();
  }
}

// Before the other tests, because the subscriber of ioredis leaves timers of 2 s behind after it lost its server.
describeWith('redis')('the store on a Redis Cluster', () => {
  test.concurrent(
    'of three nodes keeps each lease on one node and spreads leases over all nodes, with only the documented rights',
    () =>
      atCluster(async (cluster, open) => {
        const rights = [...documentedRights('acl'), ...documentedRights('acl-cluster')];
        for (const admin of cluster.admins)
          await admin.call('ACL', 'SETUSER', 'porthole', 'reset', 'on', '>secret', ...rights);
        const { log, lines } = recordedLog();
        const store = await open(
          { mode: 'cluster', nodes: cluster.nodes, username: 'porthole', password: 'secret' },
          log,
        );
        await exercise(store);
        for (let user = 0; user < 30; user++) await store.leases.join(`user/${user}`, 'h', 1, 600_000);
        const keys = await Promise.all(cluster.admins.map((admin) => admin.keys('porthole:lease:*')));
        expect(keys.flat()).toHaveLength(60);
        for (const here of keys) expect(here.length).toBeGreaterThan(0);
        expect(lines).toEqual([]);
      }),
  );

  test.concurrent(
    'of three nodes continues when a lost node is back, whose slots no node served meanwhile',
    () =>
      atCluster(async (cluster, open) => {
        const store = await open({ mode: 'cluster', nodes: cluster.nodes, password: () => password });
        const heard: string[] = [];
        store.signals.subscribe((message) => heard.push(message));
        const names = Array.from({ length: 30 }, (_, index) => `porthole:login:${index}`);
        for (const name of names) await store.records.put(name, 'v', 600_000);
        await cluster.servers[1]?.kill();
        await eventually(async () => {
          const found = await Promise.allSettled(names.map((name) => store.records.get(name)));
          expect(found.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
        });
        await cluster.servers[1]?.restart();
        await eventually(async () => {
          for (const name of names) await store.records.put(name, 'w', 600_000);
        });
        await eventually(async () => {
          await store.signals.publish('back?');
          expect(heard).toContain('back?');
        });
      }),
  );

  test.concurrent('of one node rejects calls in an outage, and serves calls and subscriptions after it', () =>
    withRedisStores(async (open) => {
      const server = await startCluster();
      const { log, linesWith } = recordedLog();
      const store = await open(address(server), log);
      const heard: string[] = [];
      store.signals.subscribe((message) => heard.push(message));
      await server.kill();
      await eventually(async () => expect(await store.healthy()).toBe(false));
      expect(await rejectionOf(store.records.get('k'))).toMatchObject({ code: 'store_unavailable' });
      await eventually(() => expect(linesWith('redis is unavailable').length).toBeGreaterThan(0));

      await server.restart();
      await eventually(() => store.records.put('k', 'v', 600_000));
      await eventually(async () => {
        await store.signals.publish('back?');
        expect(heard).toContain('back?');
      });
      await eventually(() => expect(linesWith('redis is available again')).toHaveLength(1));
      await server.stop();
    }),
  );
});

describeWith('redis')('with a real server', () => {
  describeStore('the store on a Redis Cluster', async () => {
    const server = await startCluster();
    return redisStoreUnderTest(address(server), server);
  });
});
