import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Lease, LeasePort, StoredLease } from './ports.ts';

/** The defaults of client-go's leaderelection package. */
const leaseSeconds = 15;
/** Leadership ends this long after the last renewal, 5 s before another process can take the lease. */
const renewDeadlineMs = 10_000;
const retryMs = 2000;
/** Upper limit for the duration that another holder has written into the lease. */
const maxLeaseSeconds = 3600;

export interface Leadership {
  start(): Promise<void>;
  /** Releases the lease, so that the next leader does not wait for its end. */
  stop(): Promise<void>;
  /** Check before every write: leadership ends by itself if the lease cannot be renewed. */
  isLeader(): boolean;
}

/**
 * Leader election with a Lease. A write succeeds only if the lease is as it was read. The lease of another holder has
 * expired when this process has seen no change for its duration, so clocks of other machines do not matter.
 */
export function createLeadership(deps: {
  readonly lease: LeasePort;
  /** Unique among all processes. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
}): Leadership {
  const { lease, identity, clock, log } = deps;
  let lastChange: { readonly version: string; readonly at: number } | undefined;
  let leaderUntil = -Infinity;
  let wasLeader = false;
  let isFailing = false;
  let cancel: Cancel = () => {};
  let attempt: Promise<void> | undefined;

  const isLeader = () => clock.now() < leaderUntil;

  async function acquireOrRenew(): Promise<void> {
    const before = clock.now();
    const found = await lease.read();
    if (found && found.version !== lastChange?.version)
      lastChange = { version: found.version, at: clock.now() };
    if (found && !canTake(found)) {
      leaderUntil = -Infinity;
      return;
    }
    // Counted from before the request, because the response can be slow.
    if (await lease.write(found, nextLease(found))) leaderUntil = before + renewDeadlineMs;
    else leaderUntil = -Infinity;
  }

  function canTake(found: StoredLease): boolean {
    if (found.holder === '' || found.holder === identity) return true;
    const waitMs = Math.min(found.durationSeconds, maxLeaseSeconds) * 1000;
    return clock.now() - (lastChange?.at ?? clock.now()) >= waitMs;
  }

  function nextLease(found: StoredLease | undefined): Lease {
    if (found?.holder === identity) return { ...found, durationSeconds: leaseSeconds };
    return {
      holder: identity,
      durationSeconds: leaseSeconds,
      transitions: found ? found.transitions + 1 : 0,
      acquiredAt: clock.now(),
    };
  }

  async function round(): Promise<void> {
    try {
      await acquireOrRenew();
      if (isFailing) log.info('can access the leader lease again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, 'cannot access the leader lease');
      isFailing = true;
    }
    if (isLeader() !== wasLeader) {
      wasLeader = isLeader();
      log.info({ identity }, wasLeader ? 'became the leader' : 'is no longer the leader');
    }
  }

  /** Runs one attempt at a time. */
  function attemptOnce(): Promise<void> {
    attempt ??= round().finally(() => (attempt = undefined));
    return attempt;
  }

  return {
    async start() {
      cancel = every(clock, retryMs, () => void attemptOnce());
      await attemptOnce();
    },
    async stop() {
      cancel();
      await attempt;
      if (!isLeader()) return;
      leaderUntil = -Infinity;
      try {
        const found = await lease.read();
        if (found?.holder === identity)
          await lease.write(found, { ...found, holder: '', durationSeconds: 1 });
      } catch (error) {
        // `helm uninstall` deletes the broker's permissions before its pods have stopped.
        log.warn({ err: error }, 'cannot release the leader lease');
      }
    },
    isLeader,
  };
}
