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

/** Deadline of an export. Bounds how long a hanging collector delays the exit of the process. */
const exportTimeoutMs = 3000;

/**
 * Exports spans to a collector in batches, by OTLP over HTTP with protobuf. Up to 2048 spans are queued, and more are
 * dropped. The standard OTEL_ variables configure headers, compression and so on.
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
    // The service that starts a trace decides whether it is sampled.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': options.service }))
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: exportTimeoutMs })],
  });
  return {
    tracer: provider.getTracer('porthole'),
    // Spans that cannot be sent are lost. The failure is in the log already.
    stop: () => provider.shutdown().catch(() => {}),
  };
}

/** Logs the first failure and the next success, because the exporter logs nothing. */
function logFailures(exporter: SpanExporter, log: Pick<Log, 'info' | 'warn'>): SpanExporter {
  let failing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !failing) log.warn({ err: result.error }, 'traces cannot be exported');
        if (!failed && failing) log.info('traces are exported again');
        failing = failed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
