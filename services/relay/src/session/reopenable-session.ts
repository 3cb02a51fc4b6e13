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

/**
 * Lets the user of an open console reopen it without spending a grant request, in place of the session that its grant
 * reopened. Returns the function to call when the session has ended, with its error if there is one. Store outages are
 * ignored: reopening is a new request then.
 */
export function keepReopenable(
  { sessions, clock }: { readonly sessions: ReopenableSessions; readonly clock: Clock },
  claims: GrantClaims,
): (end: { readonly error: PortholeError | undefined; readonly viewerLost: boolean }) => Promise<void> {
  const { sessionId, cluster, vmid, kind, user, limits, reopens } = claims;
  const session: ReopenableSession = { userId: user.id, sessionId, cluster, vmid, kind };
  /** One call at a time, so that an addition does not follow the removal. */
  let lastCall: Promise<void> = Promise.resolve();
  const call = (work: () => Promise<void>) => (lastCall = lastCall.then(work).catch(() => {}));
  const add = () => call(() => sessions.add(session, sessionsPerConsole * limits.perUser));

  if (reopens !== undefined) void call(() => sessions.remove({ ...session, sessionId: reopens }));
  void add();
  const cancelRenewal = every(clock, lifetimes.reopenable / 3, () => void add());
  return ({ error, viewerLost }) => {
    cancelRenewal();
    // Another connection of the same session keeps it.
    if (error?.code === 'taken_over') return lastCall;
    const recovers = error ? recoveringActions.has(closeCodes[error.close].pageAction) : viewerLost;
    return recovers ? add() : call(() => sessions.remove(session));
  };
}
