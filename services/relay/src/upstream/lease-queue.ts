import { every, sleep, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { linkSignal } from '@porthole/shared/time/link-signal';
import { lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';

export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  readonly limit: number;
  /** Told the position in line, 1 being next, whenever it changes. */
  readonly onPosition: (position: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Waits in line for a lease that all relays share and keeps it alive until it is released. The line itself is
 * in the store and fair over all relays; a release within this process wakes the next one here at once, the
 * others see it at their next look.
 */
export interface LeaseLine {
  /** Resolves with the release when the lease is held. Rejects with the signal's reason, or `store_unavailable`. */
  acquire(request: LeaseRequest): Promise<() => Promise<void>>;
  /** How many wait here now. */
  readonly waiting: number;
}

/** A place far behind looks less often. */
const lookEveryMs = (position: number) => Math.min(100 * position, 1000);

export function createLeaseLine(deps: { readonly leases: LeaseStore; readonly clock: Clock }): LeaseLine {
  const { leases, clock } = deps;
  const ttl = lifetimes.dialLease;
  const waiters = new Map<string, Set<{ position: number; wake: () => void }>>();
  let waiting = 0;

  /** Known positions grow stale while people in front leave, but their order does not. */
  function wakeNext(name: string): void {
    const [next, after] = [...(waiters.get(name) ?? [])].sort((a, b) => a.position - b.position);
    next?.wake();
    after?.wake();
  }

  async function waitInLine({ name, holder, limit, onPosition, signal }: LeaseRequest): Promise<void> {
    const waiter = { position: 0, wake: () => {} };
    const here = waiters.get(name) ?? new Set();
    waiters.set(name, here.add(waiter));
    waiting++;
    try {
      for (;;) {
        signal.throwIfAborted();
        const position = await leases.join(name, holder, limit, ttl);
        if (position === 0) return;
        if (position !== waiter.position) onPosition(position);
        waiter.position = position;
        await lookAgain(lookEveryMs(position), waiter, signal);
      }
    } finally {
      waiting--;
      here.delete(waiter);
      if (here.size === 0) waiters.delete(name);
    }
  }

  function lookAgain(ms: number, waiter: { wake: () => void }, signal: AbortSignal): Promise<void> {
    const woken = linkSignal(signal);
    waiter.wake = () => woken.abort();
    return sleep(clock, ms, woken.signal)
      .catch(() => signal.throwIfAborted())
      .finally(() => woken.unlink());
  }

  return {
    async acquire(request) {
      const { name, holder, limit } = request;
      let cancelRenewal = () => {};
      const release = async () => {
        cancelRenewal();
        // Should the store be away, the lease runs out by itself.
        await leases.release(name, holder).catch(() => {});
        wakeNext(name);
      };
      try {
        await waitInLine(request);
      } catch (error) {
        await release();
        throw error;
      }
      cancelRenewal = every(clock, ttl / 3, () => void leases.join(name, holder, limit, ttl).catch(() => {}));
      return release;
    },
    get waiting() {
      return waiting;
    },
  };
}

/**
 * Rejects with `queue_timeout` when waiting takes longer than people want to wait. `done` ends the wait only: what
 * comes after it follows the signal still, until it is let go.
 */
export function waitAtMost(
  clock: Clock,
  seconds: number,
  signal: AbortSignal,
): { signal: AbortSignal; done(): void; letGo(): void } {
  const own = linkSignal(signal);
  const cancel = clock.after(seconds * 1000, () => own.abort(new PortholeError('queue_timeout')));
  return { signal: own.signal, done: cancel, letGo: own.unlink };
}
