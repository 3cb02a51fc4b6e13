import { every, sleep, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { linkSignal } from '@porthole/shared/time/link-signal';
import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';

export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  /** How many holders the lease has at most. */
  readonly limit: number;
  /** The lease for which holders of this one queue next. While it is served, this queue moves, too. */
  readonly nextQueue?: string | undefined;
  /** Called when the position changes, and every ten seconds if the expected wait has changed. */
  readonly onProgress: (progress: QueueProgress) => void;
  readonly signal: AbortSignal;
}

export interface QueueProgress {
  /** 1 is next. */
  readonly position: number;
  /** Expected wait, if this waiter has seen the queue move. */
  readonly waitSeconds?: number;
}

/** Releases a lease. `served` says that its holder did what it waited for. */
export type ReleaseLease = (served?: boolean) => Promise<void>;

/**
 * Queues for leases that all relays share, and renews a lease until it is released. The queue is in the store and fair
 * across relays. A release in this process wakes its next waiters at once; other relays notice at their next poll.
 *
 * There is no limit for the wait in a queue that moves. A queue moves if a holder of any relay was served. Positions do
 * not tell: they also fall when other waiters give up.
 */
export interface LeaseQueue {
  /**
   * Resolves with the function that releases the lease. Rejects with the signal's reason, `store_unavailable`, or
   * `queue_timeout` if no holder was served for `stallMs`.
   */
  acquireInQueue(request: LeaseRequest): Promise<ReleaseLease>;
  /** Number of waiters in this relay. */
  readonly length: number;
}

/** A waiter further back polls less often. */
const pollMs = (position: number) => Math.min(100 * position, 1000);
/** How often a waiter checks whether the queue moves, once it has waited for `stallMs`. */
const stallCheckMs = 5000;

export function createLeaseQueue(deps: {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  /** How long waiters stay in a queue that does not move. */
  readonly stallMs: number;
}): LeaseQueue {
  const { leases, clock, stallMs } = deps;
  const ttl = lifetimes.dialLease;
  const waiters = new Map<string, Set<{ position: number; wake: () => void }>>();
  let length = 0;

  /** Positions may be stale, because waiters in front may have left, but their order is right. */
  function wakeNext(name: string): void {
    const [next, after] = [...(waiters.get(name) ?? [])].sort((a, b) => a.position - b.position);
    next?.wake();
    after?.wake();
  }

  async function waitForLease({
    name,
    holder,
    limit,
    nextQueue,
    onProgress,
    signal,
  }: LeaseRequest): Promise<void> {
    const waiter = { position: 0, wake: () => {} };
    const report = createProgressReport(clock, onProgress);
    let stallCheckAt = clock.now() + stallMs;
    const localWaiters = waiters.get(name) ?? new Set();
    waiters.set(name, localWaiters.add(waiter));
    length++;
    try {
      for (;;) {
        signal.throwIfAborted();
        const position = await leases.join(name, holder, limit, ttl);
        if (position === 0) return;
        waiter.position = position;
        report(position);
        if (clock.now() >= stallCheckAt) {
          await assertMoving([name, nextQueue ?? name], position);
          stallCheckAt = clock.now() + stallCheckMs;
        }
        await sleepUntilWoken(pollMs(position), waiter, signal);
      }
    } finally {
      length--;
      localWaiters.delete(waiter);
      if (localWaiters.size === 0) waiters.delete(name);
    }
  }

  async function assertMoving(names: readonly string[], position: number): Promise<void> {
    const served = await Promise.all(names.map((name) => leases.count(leaseNames.served(name))));
    if (served.some((count) => count > 0)) return;
    throw new PortholeError('queue_timeout', {
      detail: `position ${position}; no holder was served for ${stallMs / 1000} s`,
    });
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
      const release = async (served = false) => {
        cancelRenewal();
        // If the store is unavailable, the lease expires.
        await Promise.allSettled([
          leases.release(name, holder),
          served ? leases.join(leaseNames.served(name), 'a holder', 1, stallMs) : undefined,
        ]);
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

/** A shorter observation says little about the pace of a queue. */
const minObservationMs = 3000;
const repeatMs = 10_000;

/** Reports the positions of one waiter, and the expected wait at the pace at which it has moved up so far. */
function createProgressReport(
  clock: Clock,
  onProgress: (progress: QueueProgress) => void,
): (position: number) => void {
  let first: { readonly position: number; readonly at: number } | undefined;
  let last: (QueueProgress & { readonly at: number }) | undefined;

  return (position) => {
    const now = clock.now();
    // A waiter whose lease expired is at the end of the queue again.
    if (!first || position > first.position) first = { position, at: now };
    const elapsed = now - first.at;
    const movedUp = first.position - position;
    const waitSeconds =
      movedUp > 0 && elapsed >= minObservationMs
        ? Math.ceil((position * elapsed) / movedUp / 1000)
        : undefined;
    const isNew = position !== last?.position;
    const isOutdated = last && waitSeconds !== last.waitSeconds && now - last.at >= repeatMs;
    if (!isNew && !isOutdated) return;
    const progress = { position, ...(waitSeconds === undefined ? {} : { waitSeconds }) };
    last = { ...progress, at: now };
    onProgress(progress);
  };
}
