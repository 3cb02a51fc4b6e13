import { every, sleep, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { linkSignal } from '@porthole/shared/time/link-signal';
import { lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';

export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  /** How many holders the lease has at most. */
  readonly limit: number;
  /** Called with the position in the queue when it changes; 1 is next. */
  readonly onPosition: (position: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Queues for leases that all relays share, and renews a lease until it is released. The queue is in the store and fair
 * across relays. A release in this process wakes its next waiters at once; other relays notice at their next poll.
 */
export interface LeaseQueue {
  /** Resolves with the function that releases the lease. Rejects with the signal's reason, or `store_unavailable`. */
  acquireInQueue(request: LeaseRequest): Promise<() => Promise<void>>;
  /** Number of waiters in this relay. */
  readonly length: number;
}

/** A waiter further back polls less often. */
const pollMs = (position: number) => Math.min(100 * position, 1000);

export function createLeaseQueue(deps: { readonly leases: LeaseStore; readonly clock: Clock }): LeaseQueue {
  const { leases, clock } = deps;
  const ttl = lifetimes.dialLease;
  const waiters = new Map<string, Set<{ position: number; wake: () => void }>>();
  let length = 0;

  /** Positions may be stale, because waiters in front may have left, but their order is right. */
  function wakeNext(name: string): void {
    const [next, after] = [...(waiters.get(name) ?? [])].sort((a, b) => a.position - b.position);
    next?.wake();
    after?.wake();
  }

  async function waitForLease({ name, holder, limit, onPosition, signal }: LeaseRequest): Promise<void> {
    const waiter = { position: 0, wake: () => {} };
    const localWaiters = waiters.get(name) ?? new Set();
    waiters.set(name, localWaiters.add(waiter));
    length++;
    try {
      for (;;) {
        signal.throwIfAborted();
        const position = await leases.join(name, holder, limit, ttl);
        if (position === 0) return;
        if (position !== waiter.position) onPosition(position);
        waiter.position = position;
        await sleepUntilWoken(pollMs(position), waiter, signal);
      }
    } finally {
      length--;
      localWaiters.delete(waiter);
      if (localWaiters.size === 0) waiters.delete(name);
    }
  }

  function sleepUntilWoken(ms: number, waiter: { wake: () => void }, signal: AbortSignal): Promise<void> {
    const woken = linkSignal(signal);
    waiter.wake = () => woken.abort();
    return sleep(clock, ms, woken.signal)
      .catch(() => signal.throwIfAborted())
      .finally(() => woken.unlink());
  }

  return {
    async acquireInQueue(request) {
      const { name, holder, limit } = request;
      let cancelRenewal = () => {};
      const release = async () => {
        cancelRenewal();
        // If the store is unavailable, the lease expires.
        await leases.release(name, holder).catch(() => {});
        wakeNext(name);
      };
      try {
        await waitForLease(request);
      } catch (error) {
        await release();
        throw error;
      }
      cancelRenewal = every(clock, ttl / 3, () => void leases.join(name, holder, limit, ttl).catch(() => {}));
      return release;
    },
    get length() {
      return length;
    },
  };
}

/**
 * Returns a signal that is aborted with `queue_timeout` after `seconds`, unless `stop` is called before. It follows
 * `signal` until `dispose` is called.
 */
export function limitQueueTime(
  clock: Clock,
  seconds: number,
  signal: AbortSignal,
): { readonly signal: AbortSignal; stop(): void; dispose(): void } {
  const own = linkSignal(signal);
  const stop = clock.after(seconds * 1000, () => own.abort(new PortholeError('queue_timeout')));
  return {
    signal: own.signal,
    stop,
    dispose() {
      stop();
      own.unlink();
    },
  };
}
