import { every, type Clock } from '@porthole/shared/time/clock';
import type { ConsoleSignals } from '@porthole/shared/session/signals';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { OwnedSessionRecord, SessionRecord, SessionRecords } from '@porthole/shared/session/records';
import { lifetimes } from '@porthole/shared/store/keys';
import { acquireQuota, quotaRenewalMs, type QuotaDeps, type QuotaLeases } from './quota.ts';

/** A live session as all pods see it: its record and its quota leases, renewed by a heartbeat. */
export interface SessionRegistration {
  /** Greater than that of every earlier connection of the session. */
  readonly generation: number;
  /** Removes the record and the leases, because the session is over. */
  remove(): Promise<void>;
  /** Keeps both for `lifetimes.resumeGrace`, because the viewer may resume at any relay. */
  keepForResume(): Promise<void>;
}

export interface RegistrationDeps extends QuotaDeps {
  readonly sessions: SessionRecords;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
}

/**
 * Registers a session. Its newest connection owns it: the previous one is told by a signal, or finds out by its next
 * heartbeat, and then changes nothing that belongs to the new one. Rejects with `user_limit`, `machine_limit` or
 * `store_unavailable`, or with the signal's reason; then nothing stays registered.
 */
export async function registerSession(
  deps: RegistrationDeps,
  claims: GrantClaims,
  session: {
    readonly signal: AbortSignal;
    /** The record as it should read now. */
    readonly describe: () => SessionRecord;
    /** Another connection owns the session. */
    readonly onSuperseded: () => void;
  },
): Promise<SessionRegistration> {
  // Before the leases, so that a previous connection that ends right now does not release them.
  const first = session.describe();
  const record = await deps.sessions.claim(first, claims.resumes?.generation ?? 0);
  // If the signal is lost, the previous connection's heartbeat notices.
  if (claims.resumes)
    void deps.signals
      .publish({ type: 'superseded', sessionId: claims.sessionId, generation: record.generation })
      .catch(() => {});
  try {
    const leases = await acquireQuota(deps, claims, first.connection, session.signal);
    return new LiveRegistration(deps.clock, record, leases, session);
  } catch (error) {
    await record.remove().catch(() => false);
    throw error;
  }
}

const heartbeatMs = lifetimes.session / 6;
const heartbeatsPerQuotaRenewal = Math.floor(quotaRenewalMs / heartbeatMs);

interface RegisteredSession {
  readonly describe: () => SessionRecord;
  readonly onSuperseded: () => void;
}

class LiveRegistration implements SessionRegistration {
  readonly #record: OwnedSessionRecord;
  readonly #leases: QuotaLeases;
  readonly #session: RegisteredSession;
  readonly #cancelHeartbeat: () => void;
  /** One store call at a time: a renewal that came after the removal would bring the record back. */
  #lastCall: Promise<boolean> = Promise.resolve(true);
  #busy = false;
  #heartbeats = 0;

  constructor(clock: Clock, record: OwnedSessionRecord, leases: QuotaLeases, session: RegisteredSession) {
    this.#record = record;
    this.#leases = leases;
    this.#session = session;
    this.#cancelHeartbeat = every(clock, heartbeatMs, () => this.#beat());
  }

  get generation(): number {
    return this.#record.generation;
  }

  async remove(): Promise<void> {
    this.#cancelHeartbeat();
    const wasOwner = await this.#call(() => this.#record.remove());
    await (wasOwner ? this.#leases.release() : this.#leases.handOver());
  }

  async keepForResume(): Promise<void> {
    this.#cancelHeartbeat();
    const stillOwner = await this.#call(() =>
      this.#record.renew({ ...this.#session.describe(), disconnected: true }, lifetimes.resumeGrace),
    );
    await (stillOwner ? this.#leases.extend(lifetimes.resumeGrace) : this.#leases.handOver());
  }

  #beat(): void {
    if (++this.#heartbeats % heartbeatsPerQuotaRenewal === 0) void this.#leases.renew();
    this.#renew();
  }

  #renew(): void {
    if (this.#busy) return;
    void this.#call(() => this.#record.renew(this.#session.describe())).then(
      (stillOwner) => stillOwner || this.#session.onSuperseded(),
    );
  }

  #call(work: () => Promise<boolean>): Promise<boolean> {
    this.#busy = true;
    this.#lastCall = this.#lastCall
      .then(work)
      // While the store is unavailable, live consoles go on, and what is left behind expires.
      .catch(() => true)
      .finally(() => (this.#busy = false));
    return this.#lastCall;
  }
}

/** The record of a session, from its grant and what is known since. */
export function toSessionRecord(
  claims: GrantClaims,
  now: Pick<
    SessionRecord,
    'connection' | 'relay' | 'node' | 'parked' | 'shared' | 'hasControl' | 'since' | 'bytes'
  >,
): SessionRecord {
  const { sessionId, loginRef, user, cluster, type, vmid, machineName, mode, kind, observer, classes } =
    claims;
  const { id, name, displayName } = user;
  return {
    version: 1,
    sessionId,
    loginRef,
    user: { id, name, ...(displayName === undefined ? {} : { displayName }) },
    cluster,
    type,
    vmid,
    machineName,
    mode,
    kind,
    ...(observer === undefined ? {} : { observer }),
    ...(classes === undefined ? {} : { classes }),
    ...now,
  };
}
