import type { ClientContext, Result } from 'ioredis';
import type { KeyedDigests } from '../../crypto/keyed-digests.ts';
import { digest, storeKeys } from '../keys.ts';
import type { LeaseStore } from '../ports.ts';
import type { StoreRequest } from './request.ts';
import type { RedisClient } from './connection.ts';
import { leaseScript } from './lease-script.ts';

declare module 'ioredis' {
  // The way in which ioredis types the commands of scripts.
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
 * A lease is stored under the digest of its name by the first grant key. While keys rotate, holders under the digests of
 * the other keys still count, and move to the first digest with their next renewal.
 */
export function createRedisLeases(deps: {
  client: RedisClient;
  request: StoreRequest;
  names: KeyedDigests;
}): LeaseStore {
  const { client, request, names } = deps;
  // Sends the hash of the script, and the script itself if the server does not have it.
  client.defineCommand('portholeLease', { lua: leaseScript, numberOfKeys: 2 });

  function run(nameDigest: string, verb: 'join' | 'try' | 'release' | 'count', ...more: (string | number)[]) {
    return request(() =>
      client.portholeLease(
        storeKeys.leaseOrder(nameDigest),
        storeKeys.leaseExpiry(nameDigest),
        verb,
        ...more,
      ),
    );
  }

  function holdersOf(nameDigest: string): Promise<string[]> {
    return request(() =>
      client.portholeLease(storeKeys.leaseOrder(nameDigest), storeKeys.leaseExpiry(nameDigest), 'list'),
    );
  }

  /** Holders under older digests come first. */
  async function holders(nameDigests: readonly string[]): Promise<readonly string[]> {
    return [...new Set((await Promise.all(nameDigests.toReversed().map(holdersOf))).flat())];
  }

  /** Number of other holders that have not yet moved to the first digest. */
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
      const nameDigests = names.all(name);
      const holderDigest = digest(holder);
      const left = limit - (await countNotMigrated(nameDigests, holderDigest));
      return (await run(nameDigests[0], 'try', holderDigest, toRedisMs(ttlMs), left)) >= 0;
    },
    async release(name, holder) {
      await Promise.all(names.all(name).map((nameDigest) => run(nameDigest, 'release', digest(holder))));
    },
    async count(name) {
      const [first, ...older] = names.all(name);
      return older.length === 0 ? run(first, 'count') : (await holders([first, ...older])).length;
    },
    list: (name) => holders(names.all(name)),
  };
}

/** Redis accepts only integers from 1. */
function toRedisMs(ttlMs: number): number {
  return Math.max(1, Math.ceil(ttlMs));
}
