import type { Clock } from '../../time/clock.ts';
import { PortholeError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { MemoryLimiter } from './limiter.ts';
import { createListeners } from '../listeners.ts';
import { createMemoryLeases } from './leases.ts';
import { createMemoryRecords } from './records.ts';
import { createMemorySignals } from './signals.ts';
import type { Store } from '../ports.ts';
import { createRateLimits, type LimiterOptions } from '../rate-limits.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly log?: Pick<Log, 'error'>;
  /** Limit of records, of lease holders, and of keys per rate limit. Beyond it, calls reject with `store_unavailable`. */
  readonly maxEntries?: number;
}

/** The store of a single process, without Redis. Its data is lost when the process ends. Needs no `start`. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const { clock, log, maxEntries = 100_000 } = options;
  let stopped = false;
  const assertOpen = () => {
    if (stopped) throw new PortholeError('store_unavailable', { detail: 'the store was stopped' });
  };

  const listeners = createListeners(log);
  const records = createMemoryRecords({ clock, maxEntries, assertOpen });
  const leases = createMemoryLeases({ clock, maxEntries, assertOpen });
  const makeLimiter = (limits: LimiterOptions) => new MemoryLimiter(limits, { clock, maxEntries });

  return {
    records,
    leases,
    signals: createMemorySignals({ listeners, assertOpen }),
    // No digest: only this process has access to its memory.
    rateLimits: createRateLimits({ makeLimiter, digestKey: (key) => key, assertOpen }),
    async start() {},
    healthy: async () => !stopped,
    async stop() {
      stopped = true;
      records.clear();
      leases.clear();
      listeners.clear();
    },
  };
}
