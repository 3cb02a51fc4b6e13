import type { GrantClaims } from '@porthole/shared/grant/claims';
import { parseTraceparent } from '@porthole/shared/telemetry/traceparent';
import type { Tracing } from '@porthole/shared/telemetry/tracing';

/** The opening of a console as a part of the trace that the click began: from the WebSocket to the first picture. */
export interface OpeningTrace {
  /** For logs: whether it is recorded here or not. */
  readonly traceId: string | undefined;
  run<T>(work: () => T): T;
  /** The console is open; its picture is still to come. */
  opened(): void;
  pictured(): void;
  /** Whatever came of it. After the picture it changes nothing. */
  end(error?: unknown): void;
}

export function traceOpening(
  tracing: Pick<Tracing, 'startSpan'>,
  claims: GrantClaims,
  startedAt: number,
): OpeningTrace {
  const { traceparent } = claims;
  const span = tracing.startSpan('console open', {
    kind: 'server',
    startedAt,
    // A session that goes on elsewhere may have been opened hours ago: a trace of its own, that names the first one.
    ...(claims.resumes ? { follows: traceparent } : { parent: traceparent }),
    attributes: {
      'porthole.session': claims.sessionId,
      'porthole.cluster': claims.cluster,
      'porthole.vmid': claims.vmid,
      'porthole.mode': claims.mode,
      'porthole.kind': claims.kind,
      'porthole.resumed': claims.resumes !== undefined,
    },
  });
  span.child('console admit', { startedAt }).end();
  let picture: ReturnType<typeof span.child> | undefined;
  return {
    traceId: span.traceId ?? parseTraceparent(traceparent)?.traceId,
    run: (work) => span.run(work),
    opened: () => (picture = span.child('console picture')),
    pictured() {
      picture?.end();
      span.end();
    },
    end(error) {
      picture?.end(error);
      span.end(error);
    },
  };
}
