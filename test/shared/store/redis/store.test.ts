import { createRedisStore } from '@porthole/shared/store/redis/store';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import { startRedisServer } from '../../../fakes/redis-server.ts';
import { describeWith } from '../../../needs.ts';
import { describeStore } from '../contract/describe-store.ts';
import { storeTestKeys } from '../store-harness.ts';

const quiet = { info() {}, warn() {}, error() {} };

describeWith('redis')('with a real server', () => {
  describeStore('the store on Redis', async () => {
    const server = await startRedisServer();
    const connect = () =>
      createRedisStore({ redis: { mode: 'standalone', url: server.url }, keys: storeTestKeys, log: quiet });
    const [store, other] = [connect(), connect()];
    await Promise.all([store.start(), other.start()]);
    return {
      store,
      other,
      // Redis has its own clock, so real time must pass.
      advance: (ms) => sleep(systemClock, ms),
      async stop() {
        await Promise.all([store.stop(), other.stop()]);
        await server.stop();
      },
    };
  });
});
