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
 * OpenTelemetry traces across all services, from the click until the first picture. Attributes must not contain secrets,
 * query strings or user names.
 *
 * This module uses only the API. The SDK is loaded if tracing is configured (tracing-component.ts). Without it, nothing
 * is recorded.
 */
export interface Tracing {
  /** Starts a span that the caller must end. Its only parent is `options.parent`. */
  startSpan(name: string, options?: SpanOptions): TraceSpan;
  /** Runs `work` in a child of the active span. Without an active span, just runs it. */
  withSpan<T>(name: string, attributes: Attributes, work: (span: TraceSpan) => Promise<T>): Promise<T>;
}

export interface SpanOptions {
  /** Traceparent of the parent span, possibly of another service. */
  readonly parent?: string | undefined;
  /** Traceparent of a span to link to, which is not the parent. */
  readonly follows?: string | undefined;
  /** Milliseconds since the epoch. Default: now. */
  readonly startedAt?: number;
  readonly kind?: 'internal' | 'server' | 'client';
  readonly attributes?: Attributes;
}

export interface TraceSpan {
  /** To pass to other services. Undefined if nothing is recorded. */
  readonly traceparent: string | undefined;
  /** For logs. Undefined if nothing is recorded. */
  readonly traceId: string | undefined;
  setAttributes(attributes: Attributes): void;
  /** Runs `work` with this span as the active one. */
  run<T>(work: () => T): T;
  /** Starts a child span that the caller must end. */
  child(name: string, options?: Pick<SpanOptions, 'startedAt' | 'attributes'>): TraceSpan;
  /** Ends the span, with the code of `error` if given. Further calls have no effect. */
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
  /** Returns undefined while nothing is recorded. */
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
      const parent = active.getStore();
      if (!parent) return work(noSpan);
      const span = parent.child(name, { attributes });
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
