import { RateLimiterRedis } from 'rate-limiter-flexible';
import { systemClock, type Clock } from '../../time/clock.ts';
import { PortholeError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { SealKeys } from '../../crypto/seal.ts';
import { BoundedLimiter } from '../bounded-limiter.ts';
import { createKeyedDigests } from '../../crypto/keyed-digests.ts';
import { createListeners } from '../listeners.ts';
import type { Store } from '../ports.ts';
import { createRateLimits, type LimiterOptions } from '../rate-limits.ts';
import { createStoreRequest } from './request.ts';
import { createRedisClient, redisTimes } from './connection.ts';
import { createRedisLeases } from './leases.ts';
import type { RedisOptions } from './options.ts';
import { createOutage } from './outage.ts';
import { createRedisRecords } from './records.ts';
import { createRedisSignals } from './signals.ts';

export type { RedisOptions } from './options.ts';

export interface RedisStoreOptions {
  readonly redis: RedisOptions;
  /** Names that could be guessed are hidden by them. */
  readonly keys: SealKeys;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly clock?: Clock;
  /** Told of every call that failed. */
  readonly onFailure?: () => void;
  /** Keys per rate limit that are counted here while Redis is away. */
  readonly maxEntries?: number;
}

/** The store that all pods share. Needs Redis 6.2. Throws at once when the options make no sense. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { log, clock = systemClock, maxEntries = 100_000 } = options;
  const client = createRedisClient(options.redis);
  const subscriber = createRedisClient(options.redis);
  const outage = createOutage(log);
  const listeners = createListeners(log);
  const names = createKeyedDigests(options.keys);
  let stopped = false;

  const use = () => {
    if (stopped) throw new PortholeError('store_unavailable', { detail: 'The store was stopped.' });
  };
  const ask = createStoreRequest(use, options.onFailure);

  client.on('error', (error) => outage.failed('calls', error));
  client.on('close', () => outage.closed('calls'));
  client.on('ready', () => outage.works('calls'));

  const makeLimiter = (limits: LimiterOptions) =>
    new RateLimiterRedis({
      ...limits,
      storeClient: client,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new BoundedLimiter(limits, { clock, maxEntries }),
    });
  const signals = createRedisSignals({ client, subscriber, clock, listeners, outage, ask });

  async function start(): Promise<void> {
    use();
    // Whatever fails here is tried again for ever, and the outage has told the log.
    await settledWithin(clock, redisTimes.connect, [client.connect(), signals.start()]);
  }

  return {
    records: createRedisRecords({ client, ask }),
    leases: createRedisLeases({ client, ask, names }),
    signals,
    rateLimits: createRateLimits({ makeLimiter, hide: names.of, use }),
    start,
    healthy: () =>
      ask(() => client.ping()).then(
        () => true,
        () => false,
      ),
    async stop() {
      if (stopped) return;
      stopped = true;
      signals.stop();
      client.disconnect();
      listeners.clear();
    },
  };
}

/** Resolves when everything has worked out or failed, or when the time is over. */
function settledWithin(clock: Clock, ms: number, work: Promise<void>[]): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    void Promise.allSettled(work)
      .finally(cancel)
      .then(() => resolve());
  });
}
