import type { Clock } from '../../time/clock.ts';
import { PortholeError } from '../../errors.ts';

/** A bounded map whose entries expire. */
export interface ExpiringMap<V> {
  get(key: string): V | undefined;
  /** Throws `store_unavailable` if there are `maxEntries` other live keys. */
  set(key: string, value: V, ttlMs: number): void;
  delete(key: string): void;
  clear(): void;
}

/** Minimum interval between sweeps of all entries. */
const sweepMs = 1000;

/** Sets no timers, so nothing keeps the process alive: reads ignore expired entries, and writes remove them. */
export function createExpiringMap<V>(deps: { clock: Clock; maxEntries: number }): ExpiringMap<V> {
  const entries = new Map<string, { value: V; expires: number }>();
  let nextSweep = 0;

  return {
    get(key) {
      const entry = entries.get(key);
      return entry && entry.expires > deps.clock.now() ? entry.value : undefined;
    },
    set(key, value, ttlMs) {
      const now = deps.clock.now();
      if (now >= nextSweep) {
        nextSweep = now + sweepMs;
        for (const [old, entry] of entries) if (entry.expires <= now) entries.delete(old);
      }
      const expires = now + ttlMs;
      const entry = entries.get(key);
      if (entry) {
        // Not a new entry: those of records that are renewed would survive garbage collections.
        entry.value = value;
        entry.expires = expires;
        return;
      }
      if (entries.size >= deps.maxEntries) throw memoryFull(deps.maxEntries);
      entries.set(key, { value, expires });
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
  };
}

export function memoryFull(maxEntries: number): PortholeError {
  return new PortholeError('store_unavailable', {
    detail: `the store in memory is full: ${maxEntries} entries`,
  });
}
