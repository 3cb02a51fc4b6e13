import { Counter, type Registry } from 'prom-client';

/** Tells what goes wrong with a store that all pods share. */
export function createStoreMetrics(registry: Registry): { requestFailed(): void } {
  const errors = new Counter({
    name: 'porthole_store_errors_total',
    help: 'Calls to Redis that failed or were not answered in time; rate limits count here alone meanwhile.',
    registers: [registry],
  });
  return { requestFailed: () => errors.inc() };
}
