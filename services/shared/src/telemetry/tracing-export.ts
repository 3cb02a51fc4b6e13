import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { Log } from './log.ts';

/** What a collector that hangs may cost when a process ends. */
const exportTimeoutMs = 3000;

/**
 * Sends spans to a collector: OTLP over HTTP, protobuf, in batches. At most 2048 spans wait, further ones are
 * dropped. Headers, compression and the like are taken from the OTEL_ variables that every exporter knows.
 */
export function startExport(options: {
  readonly endpoint: URL;
  readonly sampleRatio: number;
  readonly service: string;
  readonly log: Pick<Log, 'info' | 'warn'>;
}): { readonly tracer: Tracer; stop(): Promise<void> } {
  const { endpoint, log } = options;
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  const exporter = logFailures(new OTLPTraceExporter({ url: url.href, timeoutMillis: exportTimeoutMs }), log);
  const provider = new TracerProvider({
    // Whoever began a trace decided for all of it.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': options.service }))
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: exportTimeoutMs })],
  });
  return {
    tracer: provider.getTracer('porthole'),
    // Nobody waits for spans: what can't be sent is lost, and was said already.
    stop: () => provider.shutdown().catch(() => {}),
  };
}

/** One line when sending begins to fail and one when it works again: an exporter itself says nothing. */
function logFailures(exporter: SpanExporter, log: Pick<Log, 'info' | 'warn'>): SpanExporter {
  let failing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !failing) log.warn({ err: result.error }, 'traces can not be sent');
        if (!failed && failing) log.info('traces are sent again');
        failing = failed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
