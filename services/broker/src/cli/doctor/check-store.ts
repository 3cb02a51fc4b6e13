import type { Clock } from '@porthole/shared/time/clock';
import type { Config } from '@porthole/shared/config/schema';
import { redisOptionsOf } from '@porthole/shared/store/open';
import { createRedisClient, type RedisClient } from '@porthole/shared/store/redis/connection';
import type { Finding, FindingKind } from './findings.ts';

/** Permitted difference to the clock of Redis, in milliseconds. */
const clockSlackMs = 5000;
const where = 'redis';

/** Checks the connection to Redis, permissions, eviction and clock. */
export async function checkStore(
  config: Pick<Config, 'redis'>,
  { clock, name }: { readonly clock: Clock; readonly name: string },
): Promise<readonly Finding[]> {
  if (!config.redis)
    return [{ kind: 'memory_only', where: 'store', what: 'The configuration has no Redis.' }];
  const client = createRedisClient(redisOptionsOf(config.redis));
  const errors: Error[] = [];
  // The event has the cause. The rejected promise does not.
  client.on('error', (error: Error) => errors.push(error));
  try {
    await client.connect();
    return [
      ...(await checkRights(client, name)),
      ...(await checkMemory(client)),
      ...(await checkClock(client, clock)),
    ];
  } catch (error) {
    return [connectionFinding(errors[0] ?? error)];
  } finally {
    client.disconnect();
  }
}

function connectionFinding(error: unknown): Finding {
  const what = error instanceof Error ? error.message : String(error);
  return { kind: kindOf(what), where, what };
}

function kindOf(what: string): FindingKind {
  if (/WRONGPASS|NOAUTH|AUTH /.test(what)) return 'store_credential';
  if (/NOPERM/.test(what)) return 'store_permission';
  if (/certificate|altnames|SSL|TLS|wrong version number/i.test(what)) return 'store_tls';
  return 'store_unreachable';
}

/** Tries each command that the store uses, on temporary keys that expire after a second. */
async function checkRights(client: RedisClient, name: string): Promise<readonly Finding[]> {
  const key = `porthole:doctor:${name}`;
  const list = `${key}:list`;
  const commands: readonly (readonly [string, ...(string | number)[]])[] = [
    ['set', key, '1', 'PX', 1000],
    ['get', key],
    ['incrby', key, 1],
    ['pttl', key],
    ['expire', key, 1],
    ['strlen', key],
    ['del', key],
    ['eval', 'return 1', 1, key],
    ['zadd', list, 1, 'a'],
    ['pexpireat', list, 1],
    ['zcard', list],
    ['zrank', list, 'a'],
    ['zrange', list, 0, 1],
    ['zrangebyscore', list, 0, 1],
    ['zrem', list, 'a'],
    ['publish', 'porthole:doctor', ''],
    ['time'],
  ];
  const denied: string[] = [];
  for (const [command, ...args] of commands) {
    try {
      await client.call(command, ...args.map(String));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (!text.includes('NOPERM')) throw error;
      denied.push(command);
    }
  }
  if (denied.length === 0) return [];
  return [{ kind: 'store_permission', where, what: `The user may not run: ${denied.join(', ')}.` }];
}

async function checkMemory(client: RedisClient): Promise<readonly Finding[]> {
  const info = await client.info('memory').catch(() => '');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return [];
  return [{ kind: 'store_evicts', where, what: `Its maxmemory-policy is ${policy}.` }];
}

async function checkClock(client: RedisClient, clock: Clock): Promise<readonly Finding[]> {
  const [seconds] = await client.time();
  const differenceMs = Number(seconds) * 1000 - clock.now();
  if (Math.abs(differenceMs) < clockSlackMs) return [];
  return [{ kind: 'store_clock', where, what: `Its clock differs by ${Math.round(differenceMs / 1000)} s.` }];
}
