import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { PortholeError } from '../errors.ts';
import { storeKeys } from './keys.ts';
import type { RateLimits } from './ports.ts';

/** Options of the limiters of both stores. */
export interface LimiterOptions {
  readonly keyPrefix: string;
  readonly points: number;
  readonly duration: number;
}

type Limiter = Pick<RateLimiterAbstract, 'consume' | 'get' | 'reward'>;

/** `assertOpen` throws when the store was stopped. */
export function createRateLimits(deps: {
  makeLimiter: (options: LimiterOptions) => Limiter;
  /** Converts a key, which may contain user names and addresses, to what the store may contain. */
  digestKey: (key: string) => string;
  assertOpen: () => void;
}): RateLimits {
  // One limiter per budget. The budgets come from code and configuration, so there are few.
  const limiters = new Map<string, Limiter>();

  function limiterOf(points: number, seconds: number): Limiter {
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
      deps.assertOpen();
      try {
        // The period is part of the name, so that budgets of one key per minute and per hour are counted separately.
        await limiterOf(points, seconds).consume(deps.digestKey(`${seconds}/${key}`));
      } catch (thrown) {
        throw toRateLimitError(thrown);
      }
    },
    async check(key, points, seconds) {
      deps.assertOpen();
      let found: RateLimiterRes | null;
      try {
        found = await limiterOf(points, seconds).get(deps.digestKey(`${seconds}/${key}`));
      } catch (thrown) {
        throw toRateLimitError(thrown);
      }
      if (found && found.consumedPoints >= points && found.msBeforeNext > 0) throw toRateLimitError(found);
    },
    async refund(key, points, seconds) {
      deps.assertOpen();
      try {
        await limiterOf(points, seconds).reward(deps.digestKey(`${seconds}/${key}`));
      } catch (thrown) {
        throw toRateLimitError(thrown);
      }
    },
  };
}

/** The library rejects with a result, not with an Error, if there are no points left. */
function toRateLimitError(thrown: unknown): PortholeError {
  if (thrown instanceof RateLimiterRes) {
    const retryAfter = Math.max(1, Math.ceil(thrown.msBeforeNext / 1000));
    return new PortholeError('rate_limited', { retryAfter });
  }
  return thrown instanceof PortholeError ? thrown : new PortholeError('store_unavailable', { cause: thrown });
}
