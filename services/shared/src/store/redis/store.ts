import { RateLimiterRedis } from 'rate-limiter-flexible';
import { systemClock, type Clock } from '../../time/clock.ts';
import { PortholeError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { SealKeys } from '../../crypto/seal.ts';
import { MemoryLimiter } from '../memory/limiter.ts';
import { createKeyedDigests } from '../../crypto/keyed-digests.ts';
import { createListeners } from '../listeners.ts';
import type { Store } from '../ports.ts';
import { createRateLimits, type LimiterOptions } from '../rate-limits.ts';
import { createStoreRequest } from './request.ts';
import { createRedisClient, redisTimeouts, type RedisClient } from './connection.ts';
import { createRedisLeases } from './leases.ts';
import type { RedisOptions } from './options.ts';
import { createRedisOutageLog } from './outage.ts';
import { createRedisRecords } from './records.ts';
import { createRedisSignals } from './signals.ts';

export type { RedisOptions } from './options.ts';

export interface RedisStoreOptions {
  readonly redis: RedisOptions;
  /** Keys of the digests that replace guessable names. */
  readonly keys: SealKeys;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly clock?: Clock;
  /** Called for each failed call. */
  readonly onFailure?: () => void;
  /** Maximum keys per rate limit that are counted in memory while Redis is unavailable. */
  readonly maxEntries?: number;
}

/** Creates the store on Redis. Requires Redis 6.2. Throws if the options are invalid. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { log, clock = systemClock, maxEntries = 100_000 } = options;
  const client = createRedisClient(options.redis);
  const subscriber = createRedisClient(options.redis);
  const outage = createRedisOutageLog(log);
  const listeners = createListeners(log);
  const names = createKeyedDigests(options.keys);
  let stopped = false;

  const assertOpen = () => {
    if (stopped) throw new PortholeError('store_unavailable', { detail: 'the store was stopped' });
  };
  const request = createStoreRequest(assertOpen, options.onFailure);

  client.on('error', (error) => outage.failed('calls', error));
  client.on('close', () => outage.closed('calls'));
  client.on('ready', () => outage.recovered('calls'));

  const makeLimiter = (limits: LimiterOptions) =>
    new RateLimiterRedis({
      ...limits,
      storeClient: client,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new MemoryLimiter(limits, { clock, maxEntries }),
    });
  const signals = createRedisSignals({ client, subscriber, clock, listeners, outage, request });

  let starting: Promise<void> | undefined;

  function start(): Promise<void> {
    starting ??= connect();
    return starting;
  }

  async function connect(): Promise<void> {
    assertOpen();
    // A connection that fails is retried until `stop`, and the outage is logged.
    await settleWithin(clock, redisTimeouts.connect, [client.connect(), signals.start()]);
  }

  return {
    records: createRedisRecords({ client, request }),
    leases: createRedisLeases({ client, request, names }),
    signals,
    rateLimits: createRateLimits({ makeLimiter, digestKey: names.of, assertOpen }),
    start,
    healthy: () =>
      request(() => client.ping()).then(
        () => true,
        () => false,
      ),
    async stop() {
      if (stopped) return;
      stopped = true;
      outage.stop();
      listeners.clear();
      signals.stop();
      await settleWithin(clock, redisTimeouts.disconnect, [disconnect(client), disconnect(subscriber)]);
    },
  };
}

/** Resolves when the client has closed its sockets. */
function disconnect(client: RedisClient): Promise<void> {
  const hasSocket = !['wait', 'reconnecting', 'close', 'end'].includes(client.status);
  const ended = hasSocket ? new Promise<void>((resolve) => client.once('end', () => resolve())) : undefined;
  client.disconnect();
  return ended ?? Promise.resolve();
}

/** Resolves when all work has succeeded or failed, or after `ms`. */
function settleWithin(clock: Clock, ms: number, work: Promise<void>[]): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    void Promise.allSettled(work)
      .finally(cancel)
      .then(() => resolve());
  });
}
