import type { Audit } from '@porthole/shared/audit/audit';
import type { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { RelayMetrics } from '../metrics.ts';
import type { Direction } from '../stream/pump.ts';
import { auditFactsOf } from './audit-facts.ts';
import { OpeningTrace } from './opening-trace.ts';

export interface SessionReporterDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  readonly metrics: RelayMetrics;
  readonly tracing: Pick<Tracing, 'startSpan'>;
  readonly relayId: string;
}

/** Writes what happens to one session to the log, the audit, the metrics and the trace. */
export class SessionReporter {
  readonly #deps: SessionReporterDeps;
  readonly #startedAt: number;
  #claims: GrantClaims | undefined;
  #trace: OpeningTrace | undefined;
  #openedAt: number | undefined;
  #parked = false;
  /** Console bytes forwarded so far. */
  readonly bytesForwarded: Record<Direction, number> = { to_viewer: 0, to_machine: 0 };

  constructor(deps: SessionReporterDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
  }

  /** When the viewer connected, in milliseconds since the epoch. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** The grant was accepted. The trace of the opening begins; `work` belongs to it. */
  admitted<T>(claims: GrantClaims, work: () => Promise<T>): Promise<T> {
    this.#claims = claims;
    this.#trace = new OpeningTrace(this.#deps.tracing, claims, this.#startedAt);
    return this.#trace.run(work);
  }

  /** The console is open. `claims` name the node on which the machine runs. */
  opened(claims: GrantClaims, recording?: string): void {
    const { clock, metrics, log, audit, relayId } = this.#deps;
    this.#claims = claims;
    this.#openedAt = clock.now();
    const seconds = (this.#openedAt - this.#startedAt) / 1000;
    const resumed = claims.resumes !== undefined;
    this.#trace?.opened();
    metrics.openFinished('ok');
    if (resumed) metrics.resumed();
    metrics.openPhase('total', seconds);
    metrics.sessionStarted(claims.mode, claims.kind);
    log.info({ ...this.#identity(), node: claims.node, resumed, seconds }, 'console opened');
    audit({
      event: 'console_opened',
      ...auditFactsOf(claims, relayId),
      resumed,
      ...(recording === undefined ? {} : { recording }),
    });
  }

  /** The first picture arrived. */
  pictureArrived(): void {
    this.#deps.metrics.openPhase('picture', (this.#deps.clock.now() - this.#startedAt) / 1000);
    this.#trace?.pictured();
  }

  forwarded(direction: Direction, bytes: number): void {
    this.bytesForwarded[direction] += bytes;
    this.#deps.metrics.bytes(direction, bytes);
  }

  /** The console at Proxmox was released, because the page is hidden. */
  parked(): void {
    const { metrics, log, audit, relayId } = this.#deps;
    this.#parked = true;
    metrics.parked();
    log.info(this.#identity(), 'console parked');
    if (this.#claims) audit({ event: 'console_parked', ...auditFactsOf(this.#claims, relayId) });
  }

  /** The terminal does not answer input: its program is busy, or dtach at Proxmox has stopped. */
  inputUnanswered(): void {
    const { metrics, log } = this.#deps;
    metrics.inputUnanswered();
    log.warn({ ...this.#identity(), node: this.#claims?.node }, 'terminal does not answer');
  }

  /** The session has ended. Without an error, the viewer left. */
  ended(error: PortholeError | undefined): void {
    const { clock, metrics, log, audit, relayId } = this.#deps;
    const claims = this.#claims;
    const end = error?.code ?? 'by_viewer';
    const facts = { ...this.#identity(), end, ...(error?.detail ? { detail: error.detail } : {}) };
    this.#trace?.end(error);
    metrics.closed(error?.close ?? 'by_viewer');
    if (!claims || this.#openedAt === undefined) {
      if (claims) audit({ event: 'console_open_failed', ...auditFactsOf(claims, relayId), end });
      metrics.openFinished(end);
      log.warn({ ...facts, ...(error?.cause ? { err: error.cause } : {}) }, 'console not opened');
      return;
    }
    const seconds = (clock.now() - this.#openedAt) / 1000;
    metrics.sessionEnded(claims.mode, claims.kind, seconds);
    if (this.#parked) metrics.parkingEnded(end === 'unparked');
    log.info({ ...facts, seconds, bytes: this.bytesForwarded }, 'console ended');
    const bytes = { toViewer: this.bytesForwarded.to_viewer, toMachine: this.bytesForwarded.to_machine };
    audit({ event: 'console_ended', ...auditFactsOf(claims, relayId), end, seconds, bytes });
  }

  #identity() {
    if (!this.#claims) return {};
    const { sessionId, user, cluster, vmid, mode } = this.#claims;
    const trace = this.#trace?.traceId;
    return { session: sessionId, user: user.id, cluster, vmid, mode, ...(trace ? { trace } : {}) };
  }
}
