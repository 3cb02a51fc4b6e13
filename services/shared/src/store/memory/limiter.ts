import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock } from '../../time/clock.ts';
import type { LimiterOptions } from '../rate-limits.ts';
import { createExpiringMap, type ExpiringMap } from './expiring-map.ts';

interface Window {
  consumed: number;
  readonly endsAt: number;
}

/**
 * A fixed-window limiter in memory, also used while Redis is unavailable. In contrast to the library's own one it sets
 * no timers and is bounded: it rejects new keys with `store_unavailable` at `maxEntries`, so that an attacker with
 * countless names or addresses neither stays uncounted nor exhausts the memory. It extends that class only because the
 * library's limiter for Redis accepts no other as its insurance; the storage of that class stays empty.
 */
export class MemoryLimiter extends RateLimiterMemory {
  readonly #clock: Clock;
  readonly #windows: ExpiringMap<Window>;

  constructor(options: LimiterOptions, deps: { readonly clock: Clock; readonly maxEntries: number }) {
    super(options);
    this.#clock = deps.clock;
    this.#windows = createExpiringMap<Window>(deps);
  }

  override async consume(key: string | number, points = 1): Promise<RateLimiterRes> {
    const name = String(key);
    const now = this.#clock.now();
    const known = this.#windows.get(name);
    const window = known ?? { consumed: 0, endsAt: now + this.duration * 1000 };
    if (!known) this.#windows.set(name, window, window.endsAt - now);
    window.consumed += points;
    const result = this.#resultOf(window, !known);
    // The library's limiters reject with a result, too: rate-limits.ts tells it from an error.
    // oxlint-disable-next-line typescript/only-throw-error
    if (window.consumed > this.points) throw result;
    return result;
  }

  override async reward(key: string | number, points = 1): Promise<RateLimiterRes> {
    // Without a window there is nothing to give back.
    const window = this.#windows.get(String(key)) ?? { consumed: 0, endsAt: this.#clock.now() };
    window.consumed = Math.max(0, window.consumed - points);
    return this.#resultOf(window, false);
  }

  override async get(key: string | number): Promise<RateLimiterRes | null> {
    const window = this.#windows.get(String(key));
    return window ? this.#resultOf(window, false) : null;
  }

  #resultOf({ consumed, endsAt }: Window, isFirst: boolean): RateLimiterRes {
    return new RateLimiterRes(
      Math.max(this.points - consumed, 0),
      endsAt - this.#clock.now(),
      consumed,
      isFirst,
    );
  }
}
