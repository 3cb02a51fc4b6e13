import { Counter, type Registry } from 'prom-client';

export interface ProcessErrorMetrics {
  unhandledRejection(): void;
  uncaughtException(): void;
}

/** Counts errors that no code handled. Each is a bug. */
export function createProcessErrorMetrics(registry: Registry): ProcessErrorMetrics {
  const rejections = new Counter({
    name: 'porthole_unhandled_rejections_total',
    help: 'Promise rejections that no code handled. The process drains and exits after the first one.',
    registers: [registry],
  });
  const exceptions = new Counter({
    name: 'porthole_uncaught_exceptions_total',
    help: 'Exceptions that no code caught. The process drains and exits after the first one.',
    registers: [registry],
  });
  return { unhandledRejection: () => rejections.inc(), uncaughtException: () => exceptions.inc() };
}
