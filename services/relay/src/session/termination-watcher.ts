import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import {
  terminationError,
  type TerminationOrders,
  type TerminationSubject,
} from '@porthole/shared/session/termination-orders';
import type { PortholeError } from '@porthole/shared/errors';

/** How long an order may go unnoticed by a relay that its signal did not reach. */
const pollMs = 2000;
/** Sessions that are looked up at once. */
const batchSize = 50;

export interface TerminableSession {
  /** Undefined until the grant has been accepted. */
  readonly claims: TerminationSubject | undefined;
  end(error: PortholeError): void;
}

/**
 * Polls for termination orders whose signal was lost. At rest that is one call to the store for the whole relay,
 * whatever the number of its sessions; after an order, a few calls for each of them.
 */
export function createTerminationWatcher(deps: {
  readonly terminations: Pick<TerminationOrders, 'revision' | 'findFor'>;
  readonly clock: Clock;
  readonly sessions: () => Iterable<TerminableSession>;
}): { start(): Cancel } {
  const { terminations, clock } = deps;
  let knownRevision: string | undefined;
  let polling = false;

  async function poll(): Promise<void> {
    const revision = await terminations.revision();
    if (revision === knownRevision) return;
    const sessions = [...deps.sessions()];
    for (let at = 0; at < sessions.length; at += batchSize)
      await Promise.all(sessions.slice(at, at + batchSize).map(endIfOrdered));
    knownRevision = revision;
  }

  async function endIfOrdered(session: TerminableSession): Promise<void> {
    const { claims } = session;
    const reason = claims && (await terminations.findFor(claims));
    if (reason) session.end(terminationError(reason, 'found in the store'));
  }

  return {
    start: () =>
      every(clock, pollMs, () => {
        if (polling) return;
        polling = true;
        // If the store is unavailable, consoles go on, and the next poll tries again.
        void poll()
          .catch(() => {})
          .finally(() => (polling = false));
      }),
  };
}
