import { collectDefaultMetrics, Registry } from 'prom-client';

/** A separate registry: prom-client's default one is global, and tests run several services in one process. */
export function createRegistry(): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({});
  return registry;
}

/** Adds the default metrics of Node: CPU, memory, event-loop lag, garbage collection. Call it once per process. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
