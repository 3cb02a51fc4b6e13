import { closeCodes, type PageAction } from '@porthole/shared/protocol/close-codes';
import type { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ReopenableSession, ReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import { lifetimes } from '@porthole/shared/store/keys';
import { every, type Clock } from '@porthole/shared/time/clock';

/** Live sessions, and as many that ended in an outage. */
const sessionsPerConsole = 2;

/** What a page does after an end from which it recovers by itself. */
const recoveringActions: ReadonlySet<PageAction> = new Set<PageAction>([
  'reconnect',
  'retry',
  'new-grant-once',
  'wait-for-machine',
]);

type ConsoleEnd = { readonly error: PortholeError | undefined; readonly viewerLost: boolean };

/**
 * Lets the user of an open console reopen it without spending a grant request, in place of the session that its grant
 * reopened. Returns the function to call when the session has ended, with its error if there is one. Store outages are
 * ignored: reopening is a new request then.
 */
export function keepReopenable(
  { sessions, clock }: { readonly sessions: ReopenableSessions; readonly clock: Clock },
  claims: GrantClaims,
): (end: ConsoleEnd) => Promise<void> {
  const kept = new KeptReopenable(sessions, claims);
  const cancelRenewal = every(clock, lifetimes.reopenable / 3, () => void kept.add());
  return (end) => {
    cancelRenewal();
    return kept.end(end);
  };
}

/** A class because a relay has thousands. */
class KeptReopenable {
  readonly #sessions: ReopenableSessions;
  readonly #claims: GrantClaims;
  /** One call at a time, so that an addition does not follow the removal. */
  #lastCall: Promise<void> = Promise.resolve();

  constructor(sessions: ReopenableSessions, claims: GrantClaims) {
    this.#sessions = sessions;
    this.#claims = claims;
    if (claims.reopens !== undefined) void this.#remove(claims.reopens);
    void this.add();
  }

  add(): Promise<void> {
    const limit = sessionsPerConsole * this.#claims.limits.perUser;
    return this.#call(() => this.#sessions.add(this.#session(), limit));
  }

  end({ error, viewerLost }: ConsoleEnd): Promise<void> {
    // Another connection of the same session keeps it.
    if (error?.code === 'taken_over') return this.#lastCall;
    const recovers = error ? recoveringActions.has(closeCodes[error.close].pageAction) : viewerLost;
    return recovers ? this.add() : this.#remove();
  }

  #remove(sessionId?: string): Promise<void> {
    return this.#call(() => this.#sessions.remove(this.#session(sessionId)));
  }

  #session(sessionId = this.#claims.sessionId): ReopenableSession {
    const { cluster, vmid, kind, user } = this.#claims;
    return { userId: user.id, sessionId, cluster, vmid, kind };
  }

  #call(work: () => Promise<void>): Promise<void> {
    this.#lastCall = this.#lastCall.then(work).catch(() => {});
    return this.#lastCall;
  }
}
