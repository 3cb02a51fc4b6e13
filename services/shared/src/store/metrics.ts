import { Counter, type Registry } from 'prom-client';

/** Counts failed calls to Redis. */
export function createStoreMetrics(registry: Registry): { requestFailed(): void } {
  const errors = new Counter({
    name: 'porthole_store_errors_total',
    help: 'Redis calls that failed or timed out. Meanwhile, each process counts rate limits by itself.',
    registers: [registry],
  });
  return { requestFailed: () => errors.inc() };
}
