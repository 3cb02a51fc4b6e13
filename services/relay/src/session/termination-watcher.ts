import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import {
  terminationError,
  type TerminationSubject,
  type TerminationOrders,
} from '@porthole/shared/session/termination-orders';
import type { PortholeError } from '@porthole/shared/errors';

/** How long an order takes to be seen by a relay that the signal did not reach. */
const lookMs = 2000;
/** Consoles that are looked up at once. */
const batch = 50;

export interface Watched {
  /** Undefined until it is known whose console it is. */
  claims(): TerminationSubject | undefined;
  end(error: PortholeError): void;
}

/**
 * Looks for orders whose signal got lost. At rest that is one question to the store for the whole relay, whatever
 * the number of its consoles; after an order, a few for each of them.
 */
export function createEndWatch(deps: {
  readonly ends: Pick<TerminationOrders, 'revision' | 'findFor'>;
  readonly clock: Clock;
  readonly consoles: () => Iterable<Watched>;
}): { start(): Cancel } {
  const { ends, clock } = deps;
  let seen: string | undefined;
  let looking = false;

  async function look(): Promise<void> {
    const stamp = await ends.revision();
    if (stamp === seen) return;
    const all = [...deps.consoles()];
    for (let at = 0; at < all.length; at += batch)
      await Promise.all(all.slice(at, at + batch).map(endIfOrdered));
    seen = stamp;
  }

  async function endIfOrdered(console: Watched): Promise<void> {
    const claims = console.claims();
    const reason = claims && (await ends.findFor(claims));
    if (reason) console.end(terminationError(reason, 'found in the store'));
  }

  return {
    start: () =>
      every(clock, lookMs, () => {
        if (looking) return;
        looking = true;
        // The store is away: consoles go on, and it is looked again.
        void look()
          .catch(() => {})
          .finally(() => (looking = false));
      }),
  };
}
