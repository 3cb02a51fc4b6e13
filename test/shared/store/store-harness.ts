import { inspect } from 'node:util';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import { createLog, type Log } from '@porthole/shared/telemetry/log';
import { createRedisStore, type RedisOptions } from '@porthole/shared/store/redis/store';
import type { Store } from '@porthole/shared/store/ports';

export const storeTestKeys = () => ['k'.repeat(40)];

/** Waits until `check` does not throw, and returns its result. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(systemClock, 20);
  }
}

/** The real log at its lowest level, kept in memory. */
export function recordedLog(): { log: Log; lines: string[]; linesWith(text: string): string[] } {
  const lines: string[] = [];
  const log = createLog({
    service: 'test',
    level: 'debug',
    destination: { write: (line) => lines.push(line) },
  });
  return { log, lines, linesWith: (text) => lines.filter((line) => line.includes(text)) };
}

/** The error with which a call rejects. */
export async function rejectionOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('It was not rejected.');
}

/** All properties of an error, including hidden ones. */
export function everythingIn(error: unknown): string {
  return inspect(error, { depth: Infinity, showHidden: true });
}

/** Stores on Redis that are stopped after each test. */
export function redisStores(): { open(redis: RedisOptions, log?: Log): Promise<Store> } {
  const opened: Store[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.stop()));
  });
  return {
    async open(redis, log = recordedLog().log) {
      const store = createRedisStore({ redis, keys: storeTestKeys, log });
      opened.push(store);
      await store.start();
      return store;
    },
  };
}
