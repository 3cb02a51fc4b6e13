import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock } from '../time/clock.ts';
import { createExpiringMap, type ExpiringMap } from './memory/expiring-map.ts';
import type { LimiterOptions } from './rate-limits.ts';

/**
 * The library's limiter in memory keeps every key that it saw until its time is over, however many there are.
 * This one refuses further keys at `maxEntries`: somebody who tries countless names or addresses is stopped
 * by that, and neither gets in uncounted nor eats up the memory.
 */
export class BoundedLimiter extends RateLimiterMemory {
  readonly #known: ExpiringMap<true>;

  constructor(options: LimiterOptions, deps: { clock: Clock; maxEntries: number }) {
    super(options);
    this.#known = createExpiringMap<true>(deps);
  }

  override async consume(key: string | number, points?: number): Promise<RateLimiterRes> {
    return super.consume(this.#admit(key), points);
  }

  override async reward(key: string | number, points?: number): Promise<RateLimiterRes> {
    return super.reward(this.#admit(key), points);
  }

  #admit(key: string | number): string {
    const name = String(key);
    if (!this.#known.get(name)) this.#known.set(name, true, this.duration * 1000);
    return name;
  }
}
