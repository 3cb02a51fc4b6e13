import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { PortholeError } from '../errors.ts';
import { storeKeys } from './keys.ts';
import type { RateLimits } from './ports.ts';

/** What both stores make limiters from. Names in the store are digests: `key` is a user name or an address. */
export interface LimiterOptions {
  readonly keyPrefix: string;
  readonly points: number;
  readonly duration: number;
}

/** `use` throws when the store was stopped. */
export function createRateLimits(deps: {
  makeLimiter: (options: LimiterOptions) => RateLimiterAbstract;
  /** Makes of a key, which may name people and addresses, what may stand in the store. */
  hide: (key: string) => string;
  use: () => void;
}): RateLimits {
  // One limiter for each budget. Budgets are written in the code, so there are only a few.
  const limiters = new Map<string, RateLimiterAbstract>();

  function limiterOf(points: number, seconds: number): RateLimiterAbstract {
    const budget = `${points}/${seconds}`;
    let limiter = limiters.get(budget);
    if (!limiter) {
      limiter = deps.makeLimiter({ keyPrefix: storeKeys.rateLimit, points, duration: seconds });
      limiters.set(budget, limiter);
    }
    return limiter;
  }

  return {
    async spend(key, points, seconds) {
      deps.use();
      try {
        // The period is part of the name: "5 in a minute" and "50 in an hour" of one key are counted apart.
        await limiterOf(points, seconds).consume(deps.hide(`${seconds}/${key}`));
      } catch (thrown) {
        throw refusal(thrown);
      }
    },
    async check(key, points, seconds) {
      deps.use();
      let found: RateLimiterRes | null;
      try {
        found = await limiterOf(points, seconds).get(deps.hide(`${seconds}/${key}`));
      } catch (thrown) {
        throw refusal(thrown);
      }
      if (found && found.consumedPoints >= points && found.msBeforeNext > 0) throw refusal(found);
    },
    async refund(key, points, seconds) {
      deps.use();
      try {
        await limiterOf(points, seconds).reward(deps.hide(`${seconds}/${key}`));
      } catch (thrown) {
        throw refusal(thrown);
      }
    },
  };
}

/** The library rejects with a result, which is no Error, when there are no points left. */
function refusal(thrown: unknown): PortholeError {
  if (thrown instanceof RateLimiterRes) {
    const retryAfter = Math.max(1, Math.ceil(thrown.msBeforeNext / 1000));
    return new PortholeError('rate_limited', { retryAfter });
  }
  return thrown instanceof PortholeError ? thrown : new PortholeError('store_unavailable', { cause: thrown });
}
