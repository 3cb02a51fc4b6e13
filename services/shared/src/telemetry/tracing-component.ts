import type { Tracer } from '@opentelemetry/api';
import type { Clock } from '../time/clock.ts';
import type { Config } from '../config/schema.ts';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import type { Log } from './log.ts';
import { createTracing, noTracing, type Tracing } from './tracing.ts';

/** Returns the configured tracing, and the component that starts and stops it. Without an endpoint, it records nothing. */
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
      // Loaded on demand, because it needs about 20 MB of memory.
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
