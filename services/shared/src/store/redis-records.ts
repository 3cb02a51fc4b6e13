import type { RecordStore } from './ports.ts';
import type { Ask } from './redis-ask.ts';
import type { RedisClient } from './redis-connection.ts';

export function createRedisRecords(deps: { client: RedisClient; ask: Ask }): RecordStore {
  const { client, ask } = deps;
  return {
    async put(key, value, ttlMs) {
      // Redis takes whole milliseconds, from 1.
      await ask(() => client.set(key, value, 'PX', Math.max(1, Math.ceil(ttlMs))));
    },
    async get(key) {
      return (await ask(() => client.get(key))) ?? undefined;
    },
    async take(key) {
      return (await ask(() => client.getdel(key))) ?? undefined;
    },
    async delete(key) {
      await ask(() => client.del(key));
    },
  };
}
