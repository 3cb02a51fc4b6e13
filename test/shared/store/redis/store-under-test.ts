import type { RedisOptions } from '@porthole/shared/store/redis/store';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import type { StoreUnderTest } from '../contract/describe-store.ts';
import { createOpenStores } from '../store-harness.ts';

/** Two stores on a server, for the contract tests. Redis has its own clock, so `advance` takes real time. */
export async function redisStoreUnderTest(
  redis: RedisOptions,
  server: { stop(): Promise<void> },
): Promise<StoreUnderTest> {
  const { open, stop } = createOpenStores();
  const [store, other] = await Promise.all([open(redis), open(redis)]);
  return {
    store,
    other,
    advance: (ms) => sleep(systemClock, ms),
    async stop() {
      await stop();
      await server.stop();
    },
  };
}
