import type { ClientContext, Result } from 'ioredis';
import type { KeyedDigests } from '../../crypto/keyed-digests.ts';
import { digest, storeKeys } from '../keys.ts';
import type { LeaseStore } from '../ports.ts';
import type { StoreRequest } from './request.ts';
import type { RedisClient } from './connection.ts';
import { leaseScript } from './lease-script.ts';

declare module 'ioredis' {
  // ioredis's own way to give a script's command a type.
  interface RedisCommander<Context extends ClientContext = { type: 'default' }> {
    portholeLease(
      order: string,
      expiry: string,
      verb: 'join' | 'try' | 'release' | 'count',
      ...more: (string | number)[]
    ): Result<number, Context>;
    portholeLease(order: string, expiry: string, verb: 'list'): Result<string[], Context>;
  }
}

/**
 * Places are taken under the name that the first grant key gives. While there are several keys, places under the
 * names that the others give still count and are listed: holders move over with their next renewal.
 */
export function createRedisLeases(deps: {
  client: RedisClient;
  request: StoreRequest;
  names: KeyedDigests;
}): LeaseStore {
  const { client, request, names } = deps;
  // Sends the script's hash, and the script itself to a server that does not know it yet.
  client.defineCommand('portholeLease', { lua: leaseScript, numberOfKeys: 2 });

  function run(hidden: string, verb: 'join' | 'try' | 'release' | 'count', ...more: (string | number)[]) {
    return request(() =>
      client.portholeLease(storeKeys.leaseOrder(hidden), storeKeys.leaseExpiry(hidden), verb, ...more),
    );
  }

  function holdersOf(hidden: string): Promise<string[]> {
    return request(() =>
      client.portholeLease(storeKeys.leaseOrder(hidden), storeKeys.leaseExpiry(hidden), 'list'),
    );
  }

  /** Those of older keys came first. */
  async function holders(hidden: readonly string[]): Promise<readonly string[]> {
    return [...new Set((await Promise.all(hidden.toReversed().map(holdersOf))).flat())];
  }

  /** How many have a place under an older name and not yet one under the first. */
  async function countNotMigrated(
    [first, ...older]: readonly [string, ...string[]],
    holder: string,
  ): Promise<number> {
    if (older.length === 0) return 0;
    const here = new Set(await holdersOf(first));
    return (await holders(older)).filter((other) => other !== holder && !here.has(other)).length;
  }

  return {
    async join(name, holder, limit, ttlMs) {
      const before = await run(names.of(name), 'join', digest(holder), toRedisMs(ttlMs));
      return Math.max(0, before - limit + 1);
    },
    async tryAcquire(name, holder, limit, ttlMs) {
      const hidden = names.all(name);
      const who = digest(holder);
      const left = limit - (await countNotMigrated(hidden, who));
      return (await run(hidden[0], 'try', who, toRedisMs(ttlMs), left)) >= 0;
    },
    async release(name, holder) {
      await Promise.all(names.all(name).map((hidden) => run(hidden, 'release', digest(holder))));
    },
    async count(name) {
      const [first, ...older] = names.all(name);
      return older.length === 0 ? run(first, 'count') : (await holders([first, ...older])).length;
    },
    list: (name) => holders(names.all(name)),
  };
}

/** Redis takes whole milliseconds, from 1. */
function toRedisMs(ttlMs: number): number {
  return Math.max(1, Math.ceil(ttlMs));
}
