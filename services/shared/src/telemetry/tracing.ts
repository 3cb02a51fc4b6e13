import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import type { Clock } from '../time/clock.ts';
import { asPortholeError } from '../errors.ts';
import { parseTraceparent, writeTraceparent } from './traceparent.ts';

/**
 * Where the time between a click and a picture goes, over all services, as a trace of OpenTelemetry. Spans carry what
 * logs may: names and codes, never secrets, query strings, or names of people.
 *
 * Only the API is used here. What records and sends spans is loaded when it is configured (tracing-part.ts); without
 * it nothing is recorded and nothing costs anything.
 */
export interface Tracing {
  /** A span that is ended by hand. It has no parent but the one that is named. */
  startSpan(name: string, options?: SpanOptions): TraceSpan;
  /** Does work in a span below the one whose work this is; when there is none, just does it. */
  withSpan<T>(name: string, attributes: Attributes, work: (span: TraceSpan) => Promise<T>): Promise<T>;
}

export interface SpanOptions {
  /** The span, in another service maybe, that this one is a part of. */
  readonly parent?: string | undefined;
  /** A span that this one follows without being a part of it. */
  readonly follows?: string | undefined;
  /** Milliseconds since the epoch; default now. */
  readonly startedAt?: number;
  readonly kind?: 'internal' | 'server' | 'client';
  readonly attributes?: Attributes;
}

export interface TraceSpan {
  /** For other services; undefined when nothing is recorded. */
  readonly traceparent: string | undefined;
  /** For logs; undefined when nothing is recorded. */
  readonly traceId: string | undefined;
  setAttributes(attributes: Attributes): void;
  /** Work whose spans are parts of this one. */
  run<T>(work: () => T): T;
  /** A part of this one that is ended by hand. */
  child(name: string, options?: Pick<SpanOptions, 'startedAt' | 'attributes'>): TraceSpan;
  /** Once is enough; what comes later is too late. */
  end(error?: unknown): void;
}

const noSpan: TraceSpan = {
  traceparent: undefined,
  traceId: undefined,
  setAttributes() {},
  run: (work) => work(),
  child: () => noSpan,
  end() {},
};

export const noTracing: Tracing = {
  startSpan: () => noSpan,
  withSpan: (_name, _attributes, work) => work(noSpan),
};

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT };

export function createTracing(deps: {
  readonly clock: Clock;
  /** Undefined as long as nothing is recorded. */
  readonly tracer: () => Tracer | undefined;
}): Tracing {
  const { clock } = deps;
  const active = new AsyncLocalStorage<TraceSpan>();

  function start(name: string, context: Context, options: Omit<SpanOptions, 'parent'>): TraceSpan {
    const tracer = deps.tracer();
    if (!tracer) return noSpan;
    const follows = spanContextOf(options.follows);
    const span = tracer.startSpan(
      name,
      {
        kind: kinds[options.kind ?? 'internal'],
        startTime: options.startedAt ?? clock.now(),
        attributes: options.attributes ?? {},
        ...(follows ? { links: [{ context: follows }] } : {}),
      },
      context,
    );
    return wrap(span);
  }

  function wrap(span: Span): TraceSpan {
    const { traceId, spanId, traceFlags } = span.spanContext();
    const context = trace.setSpan(ROOT_CONTEXT, span);
    let ended = false;
    const self: TraceSpan = {
      traceparent: writeTraceparent({ traceId, spanId, sampled: (traceFlags & 1) === 1 }),
      traceId,
      setAttributes: (attributes) => void span.setAttributes(attributes),
      run: (work) => active.run(self, work),
      child: (name, options = {}) => start(name, context, options),
      end(error) {
        if (ended) return;
        ended = true;
        if (error !== undefined) {
          const { code } = asPortholeError(error);
          span.setAttribute('error.type', code);
          span.setStatus({ code: SpanStatusCode.ERROR, message: code });
        }
        span.end(clock.now());
      },
    };
    return self;
  }

  return {
    startSpan(name, { parent, ...options } = {}) {
      const remote = spanContextOf(parent);
      return start(name, remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT, options);
    },
    async withSpan(name, attributes, work) {
      const above = active.getStore();
      if (!above) return work(noSpan);
      const span = above.child(name, { attributes });
      try {
        const result = await span.run(() => work(span));
        span.end();
        return result;
      } catch (error) {
        span.end(error);
        throw error;
      }
    },
  };
}

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (!parsed) return undefined;
  const { traceId, spanId, sampled } = parsed;
  return { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true };
}
