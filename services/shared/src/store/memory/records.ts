import type { Clock } from '../../time/clock.ts';
import { createExpiringMap } from './expiring-map.ts';
import type { RecordStore } from '../ports.ts';

/** `assertOpen` throws if the store was stopped. Each method is atomic, because it does not await between its steps. */
export function createMemoryRecords(deps: {
  clock: Clock;
  maxEntries: number;
  assertOpen: () => void;
}): RecordStore & { clear(): void } {
  const records = createExpiringMap<string>(deps);

  return {
    async put(key, value, ttlMs) {
      deps.assertOpen();
      records.set(key, value, ttlMs);
    },
    async add(key, value, ttlMs) {
      deps.assertOpen();
      if (records.get(key) !== undefined) return false;
      records.set(key, value, ttlMs);
      return true;
    },
    async get(key) {
      deps.assertOpen();
      return records.get(key);
    },
    async take(key) {
      deps.assertOpen();
      const value = records.get(key);
      records.delete(key);
      return value;
    },
    async delete(key) {
      deps.assertOpen();
      records.delete(key);
    },
    async replace(key, expected, value, ttlMs) {
      deps.assertOpen();
      if (records.get(key) !== expected) return false;
      records.set(key, value, ttlMs);
      return true;
    },
    async remove(key, expected) {
      deps.assertOpen();
      if (records.get(key) !== expected) return false;
      records.delete(key);
      return true;
    },
    clear: () => records.clear(),
  };
}
