import { every, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { pollUntil } from '@porthole/shared/time/poll-until';
import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';

/** The places of a console among those of its user, its machine, its relay, and all. They count and list it. */
export interface Places {
  release(): Promise<void>;
  /** Keeps them for somebody who may come back, at another relay maybe. */
  keepFor(ms: number): Promise<void>;
  /** Another connection has them now. */
  leaveToOther(): Promise<void>;
}

export interface PlacesDeps {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  readonly relayId: string;
}

/**
 * Counts the console against its user's and its machine's limit, over all relays, for as long as it lives.
 * Rejects with `user_limit` or `machine_limit`. Should the relay die, the counts run out by themselves. Held in
 * the name of the session, so a session that continues finds its own places and is not counted twice.
 */
export async function takePlaces(
  { leases, clock, relayId }: PlacesDeps,
  claims: GrantClaims,
  signal: AbortSignal,
): Promise<Places> {
  const ttl = lifetimes.consoleLease;
  const holder = claims.sessionId;
  const user = leaseNames.user(claims.user.id);
  const machine = leaseNames.machine(claims.cluster, claims.vmid);
  const relay = leaseNames.relay(relayId);
  const shared = [user, machine, leaseNames.allSessions];

  const acquire = (name: string, limit: number) =>
    pollUntil(clock, () => leases.tryAcquire(name, holder, limit, ttl), signal);
  /** Whatever the limit says now: a live console is never ended because the store forgot it. */
  const hold = (names: readonly string[], ms: number) =>
    Promise.allSettled(names.map((name) => leases.join(name, holder, Number.MAX_SAFE_INTEGER, ms)));
  const release = (names: readonly string[]) =>
    Promise.allSettled(names.map((name) => leases.release(name, holder)));

  if (!(await acquire(user, claims.limits.perUser))) throw new PortholeError('user_limit');
  try {
    if (!(await acquire(machine, claims.limits.perMachine))) throw new PortholeError('machine_limit');
  } catch (error) {
    await release([user]);
    throw error;
  }
  await hold([relay, leaseNames.allSessions], ttl);

  const cancel = every(clock, ttl / 3, () => void hold([...shared, relay], ttl));
  return {
    async release() {
      cancel();
      await release([...shared, relay]);
    },
    async keepFor(ms) {
      cancel();
      await Promise.all([hold(shared, ms), release([relay])]);
    },
    async leaveToOther() {
      cancel();
      await release([relay]);
    },
  };
}
