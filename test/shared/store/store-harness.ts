import { inspect } from 'node:util';
import { createLog, type Log } from '@porthole/shared/telemetry/log';
import { createRedisStore, type RedisOptions } from '@porthole/shared/store/redis/store';
import type { Store } from '@porthole/shared/store/ports';

export const storeTestKeys = () => ['k'.repeat(40)];

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

export type OpenStore = (redis: RedisOptions, log?: Log) => Promise<Store>;

/** Stores on Redis that are stopped after each test. */
export function redisStores(): { open: OpenStore } {
  const { open, stop } = createOpenStores();
  afterEach(stop);
  return { open };
}

/** Runs `steps` with stores that are stopped afterwards, for tests that run concurrently. */
export async function withRedisStores(steps: (open: OpenStore) => Promise<void>): Promise<void> {
  const { open, stop } = createOpenStores();
  try {
    await steps(open);
  } finally {
    await stop();
  }
}

/** Stores on Redis, which `stop` stops. */
export function createOpenStores(): { open: OpenStore; stop(): Promise<void> } {
  const opened: Store[] = [];
  return {
    async open(redis, log = recordedLog().log) {
      const store = createRedisStore({ redis, keys: storeTestKeys, log });
      opened.push(store);
      await store.start();
      return store;
    },
    async stop() {
      await Promise.all(opened.splice(0).map((store) => store.stop()));
    },
  };
}
