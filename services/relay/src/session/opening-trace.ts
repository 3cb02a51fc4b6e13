import type { GrantClaims } from '@porthole/shared/grant/claims';
import { parseTraceparent } from '@porthole/shared/telemetry/traceparent';
import type { TraceSpan, Tracing } from '@porthole/shared/telemetry/tracing';

/** The opening of a console as a part of the trace that the click began: from the WebSocket to the first picture. */
export class OpeningTrace {
  readonly #span: TraceSpan;
  #picture: TraceSpan | undefined;
  /** For logs: whether it is recorded here or not. */
  readonly traceId: string | undefined;

  constructor(tracing: Pick<Tracing, 'startSpan'>, claims: GrantClaims, startedAt: number) {
    const { traceparent } = claims;
    this.#span = tracing.startSpan('console open', {
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
    this.#span.child('console admit', { startedAt }).end();
    this.traceId = this.#span.traceId ?? parseTraceparent(traceparent)?.traceId;
  }

  run<T>(work: () => T): T {
    return this.#span.run(work);
  }

  /** The console is open; its picture is still to come. */
  opened(): void {
    this.#picture = this.#span.child('console picture');
  }

  pictured(): void {
    this.#picture?.end();
    this.#span.end();
  }

  /** Whatever came of it. After the picture it changes nothing. */
  end(error?: unknown): void {
    this.#picture?.end(error);
    this.#span.end(error);
  }
}
