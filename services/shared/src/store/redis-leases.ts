import type { ClientContext, Result } from 'ioredis';
import { digest, storeKeys } from './keys.ts';
import type { LeaseStore } from './ports.ts';
import type { Ask } from './redis-ask.ts';
import type { RedisClient } from './redis-connection.ts';
import { leaseScript } from './redis-lease-script.ts';

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

export function createRedisLeases(deps: { client: RedisClient; ask: Ask }): LeaseStore {
  const { client, ask } = deps;
  // Sends the script's hash, and the script itself to a server that does not know it yet.
  client.defineCommand('portholeLease', { lua: leaseScript, numberOfKeys: 2 });

  function run(name: string, verb: 'join' | 'try' | 'release' | 'count', ...more: (string | number)[]) {
    return ask(() =>
      client.portholeLease(storeKeys.leaseOrder(name), storeKeys.leaseExpiry(name), verb, ...more),
    );
  }

  return {
    async join(name, holder, limit, ttlMs) {
      const before = await run(name, 'join', digest(holder), lifetime(ttlMs));
      return Math.max(0, before - limit + 1);
    },
    async tryAcquire(name, holder, limit, ttlMs) {
      return (await run(name, 'try', digest(holder), lifetime(ttlMs), limit)) >= 0;
    },
    async release(name, holder) {
      await run(name, 'release', digest(holder));
    },
    count: (name) => run(name, 'count'),
    list: (name) =>
      ask(() => client.portholeLease(storeKeys.leaseOrder(name), storeKeys.leaseExpiry(name), 'list')),
  };
}

/** Redis takes whole milliseconds, from 1. */
function lifetime(ttlMs: number): number {
  return Math.max(1, Math.ceil(ttlMs));
}
