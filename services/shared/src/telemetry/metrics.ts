import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry of our own: prom-client's default one is global, and tests run many services in one process. */
export function createRegistry(): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({});
  return registry;
}

/** Adds what every Node process can tell of itself (CPU, memory, event-loop lag, garbage collection). Once a process. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
