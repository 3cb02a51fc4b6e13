import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Lease, LeasePort, SeenLease } from './ports.ts';

/** Seconds and milliseconds of client-go's leaderelection package, which every other controller uses. */
const leaseSeconds = 15;
/** Who could not renew for this long leads no more: 5 s before anybody else may begin. */
const renewDeadlineMs = 10_000;
const retryMs = 2000;
/** A holder may write any number into the lease; nobody waits longer than this for one that is gone. */
const longestLeaseSeconds = 3600;

export interface Leadership {
  start(): Promise<void>;
  /** Gives the lease back, so that the next one need not wait for it to run out. */
  stop(): Promise<void>;
  /** Whether this process leads now. Ask before every act: it ends by itself when the lease can't be renewed. */
  isLeader(): boolean;
}

/**
 * One of several processes leads. It holds a Lease that each write must find as it was last seen. Whether another's
 * lease has run out is judged by how long *this* process has seen no change of it: clocks of other machines decide
 * nothing.
 */
export function createLeadership(deps: {
  readonly lease: LeasePort;
  /** Unlike any other process's. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
}): Leadership {
  const { lease, identity, clock, log } = deps;
  let seen: { readonly version: string; readonly at: number } | undefined;
  let leadsUntil = -Infinity;
  let ledBefore = false;
  let failing = false;
  let cancel: Cancel = () => {};
  let attempt: Promise<void> | undefined;

  const leads = () => clock.now() < leadsUntil;

  async function tryOnce(): Promise<void> {
    const before = clock.now();
    const found = await lease.read();
    if (found && found.version !== seen?.version) seen = { version: found.version, at: clock.now() };
    if (found && !mayTake(found)) {
      leadsUntil = -Infinity;
      return;
    }
    // Counted from before the request: the answer may have been long under way.
    if (await lease.write(found, ours(found))) leadsUntil = before + renewDeadlineMs;
    else leadsUntil = -Infinity;
  }

  function mayTake(found: SeenLease): boolean {
    if (found.holder === '' || found.holder === identity) return true;
    const waitMs = Math.min(found.durationSeconds, longestLeaseSeconds) * 1000;
    return clock.now() - (seen?.at ?? clock.now()) >= waitMs;
  }

  function ours(found: SeenLease | undefined): Lease {
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
      await tryOnce();
      if (failing) log.info('the lease of the leader can be reached again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the lease of the leader can not be reached');
      failing = true;
    }
    if (leads() !== ledBefore) {
      ledBefore = leads();
      log.info({ identity }, ledBefore ? 'leads the brokers' : 'leads the brokers no more');
    }
  }

  /** Never two at once: one that hangs is not joined by others. */
  function begin(): Promise<void> {
    attempt ??= round().finally(() => (attempt = undefined));
    return attempt;
  }

  return {
    async start() {
      cancel = every(clock, retryMs, () => void begin());
      await begin();
    },
    async stop() {
      cancel();
      await attempt;
      if (!leads()) return;
      leadsUntil = -Infinity;
      const found = await lease.read();
      if (found?.holder === identity) await lease.write(found, { ...found, holder: '', durationSeconds: 1 });
    },
    isLeader: leads,
  };
}
