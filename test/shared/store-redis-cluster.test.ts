import { Redis } from 'ioredis';
import { sleep, systemClock } from '@porthole/shared/clock';
import { createRedisStore, type RedisOptions } from '@porthole/shared/store/redis';
import { freePort, startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { describeStore } from './store-contract.ts';
import { eventually, recordedLog, redisStores, refusalOf } from './store-harness.ts';

const password = 'cluster-password';

/** One node is a cluster, too: it refuses what touches two slots. */
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

describeWith('redis')('with a real server', () => {
  // First, because the client's own subscriber leaves timers of 2 s behind when it lost its server.
  describe('the store on a Redis Cluster, in an outage', () => {
    const { open } = redisStores();

    test('calls are refused; after it everything works again and signals are heard', async () => {
      const server = await startCluster();
      const { log, linesWith } = recordedLog();
      const store = await open(address(server), log);
      const heard: string[] = [];
      store.signals.subscribe((message) => heard.push(message));
      await server.kill();
      await eventually(async () => expect(await store.healthy()).toBe(false));
      expect(await refusalOf(store.records.get('k'))).toMatchObject({ code: 'store_down' });
      await eventually(() => expect(linesWith('redis is away').length).toBeGreaterThan(0));

      await server.restart();
      await eventually(() => store.records.put('k', 'v', 600_000));
      await eventually(async () => {
        await store.signals.publish('back?');
        expect(heard).toContain('back?');
      });
      await eventually(() => expect(linesWith('redis is back')).toHaveLength(1));
      await server.stop();
    });
  });

  describeStore('the store on a Redis Cluster', async () => {
    const server = await startCluster();
    const connect = () => createRedisStore({ redis: address(server), log: recordedLog().log });
    const [store, other] = [connect(), connect()];
    await Promise.all([store.start(), other.start()]);
    return {
      store,
      other,
      advance: (ms) => sleep(systemClock, ms),
      async stop() {
        await Promise.all([store.stop(), other.stop()]);
        await server.stop();
      },
    };
  });
});
