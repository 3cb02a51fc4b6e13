import type { ClientContext, Result } from 'ioredis';
import type { RecordStore } from '../ports.ts';
import type { StoreRequest } from './request.ts';
import type { RedisClient } from './connection.ts';

declare module 'ioredis' {
  interface RedisCommander<Context extends ClientContext = { type: 'default' }> {
    portholeGet(key: string, maxBytes: number): Result<string | null, Context>;
    portholeTake(key: string, maxBytes: number): Result<string | null, Context>;
    portholeReplace(key: string, expected: string, value: string, ttlMs: number): Result<number, Context>;
    portholeRemove(key: string, expected: string): Result<number, Context>;
  }
}

/**
 * Longest value in bytes that is read. The largest record, a sign-in with 1000 long group names, has less. Without the
 * limit, a client with write access to Redis could exhaust the memory of every pod with one value.
 */
const maxValueBytes = 2 * 1024 * 1024;

/** Scripts, because GET and GETDEL have no limit. A value that is too long counts as missing. */
const getScript = `
if redis.call('STRLEN', KEYS[1]) > tonumber(ARGV[1]) then
  return false
end
return redis.call('GET', KEYS[1])
`;
const takeScript = `
local value = redis.call('STRLEN', KEYS[1]) <= tonumber(ARGV[1]) and redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return value
`;
/** Scripts, because Redis has commands to compare and set only since 8.4. */
const replaceScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`;
const removeScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
`;

export function createRedisRecords(deps: { client: RedisClient; request: StoreRequest }): RecordStore {
  const { client, request } = deps;
  client.defineCommand('portholeGet', { lua: getScript, numberOfKeys: 1 });
  client.defineCommand('portholeTake', { lua: takeScript, numberOfKeys: 1 });
  client.defineCommand('portholeReplace', { lua: replaceScript, numberOfKeys: 1 });
  client.defineCommand('portholeRemove', { lua: removeScript, numberOfKeys: 1 });
  return {
    async put(key, value, ttlMs) {
      await request(() => client.set(key, value, 'PX', toRedisMs(ttlMs)));
    },
    async add(key, value, ttlMs) {
      return (await request(() => client.set(key, value, 'PX', toRedisMs(ttlMs), 'NX'))) === 'OK';
    },
    async get(key) {
      return (await request(() => client.portholeGet(key, maxValueBytes))) ?? undefined;
    },
    async take(key) {
      return (await request(() => client.portholeTake(key, maxValueBytes))) ?? undefined;
    },
    async delete(key) {
      await request(() => client.del(key));
    },
    async replace(key, expected, value, ttlMs) {
      return (await request(() => client.portholeReplace(key, expected, value, toRedisMs(ttlMs)))) === 1;
    },
    async remove(key, expected) {
      return (await request(() => client.portholeRemove(key, expected))) === 1;
    },
  };
}

/** Redis accepts only integers from 1. */
function toRedisMs(ttlMs: number): number {
  return Math.max(1, Math.ceil(ttlMs));
}
