import type { Tracer } from '@opentelemetry/api';
import type { Clock } from '../time/clock.ts';
import type { Config } from '../config/schema.ts';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import type { Log } from './log.ts';
import { createTracing, noTracing, type Tracing } from './tracing.ts';

/** Tracing as it is configured, and the part that starts and stops it; without an endpoint there is nothing to do. */
export function openTracing(
  { tracing: wanted }: Pick<Config, 'tracing'>,
  deps: { readonly service: string; readonly clock: Clock; readonly log: Pick<Log, 'info' | 'warn'> },
): { readonly tracing: Tracing; readonly components: readonly LifecycleComponent[] } {
  if (!wanted?.endpoint) return { tracing: noTracing, components: [] };
  const { endpoint, sampleRatio } = wanted;
  let tracer: Tracer | undefined;
  let stop = async () => {};
  const component: LifecycleComponent = {
    name: 'tracing',
    async start() {
      // Some 20 MB of memory that only those pay who want it.
      const { startExport } = await import('./tracing-export.ts');
      ({ tracer, stop } = startExport({ endpoint, sampleRatio, service: deps.service, log: deps.log }));
    },
    async stop() {
      tracer = undefined;
      await stop();
    },
  };
  return { tracing: createTracing({ clock: deps.clock, tracer: () => tracer }), components: [component] };
}
