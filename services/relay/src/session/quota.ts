import { every, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { pollUntil } from '@porthole/shared/time/poll-until';
import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';

/** The leases by which a session counts against its user, its machine, and all sessions, and its connection at its relay. */
export interface QuotaLeases {
  release(): Promise<void>;
  /** Stops renewing them; those that all relays share stay for `ms`, for a viewer that may resume anywhere. */
  extend(ms: number): Promise<void>;
  /** Releases only that of the relay: another connection of the session owns the others now. */
  handOver(): Promise<void>;
}

interface HeldLease {
  readonly name: string;
  readonly holder: string;
}

export interface QuotaDeps {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  readonly relayId: string;
}

/**
 * Counts the session against its user's and its machine's limit, over all relays, while it lives. Rejects with
 * `user_limit` or `machine_limit`. If the relay dies, the leases expire. The session is the holder, so a session that
 * resumes finds its own leases and is not counted twice. Only the relay's lease is held by the connection: a session may
 * resume at the same relay before its previous connection has ended there.
 */
export async function acquireQuota(
  { leases, clock, relayId }: QuotaDeps,
  claims: GrantClaims,
  connection: string,
  signal: AbortSignal,
): Promise<QuotaLeases> {
  const ttl = lifetimes.consoleLease;
  const ofSession = (name: string): HeldLease => ({ name, holder: claims.sessionId });
  const user = ofSession(leaseNames.user(claims.user.id));
  const machine = ofSession(leaseNames.machine(claims.cluster, claims.vmid));
  const all = ofSession(leaseNames.allSessions);
  // What an instructor shows must not take the places of the machine's own user, nor of the viewers.
  const shared = claims.follows ? [all] : [user, machine, all];
  const relay: HeldLease = { name: leaseNames.relay(relayId), holder: connection };

  const acquire = ({ name, holder }: HeldLease, limit: number) =>
    pollUntil(clock, () => leases.tryAcquire(name, holder, limit, ttl), signal);
  /** Ignores the limit: a live console is never ended because the store lost its lease. */
  const renew = (held: readonly HeldLease[], ms: number) =>
    Promise.allSettled(
      held.map(({ name, holder }) => leases.join(name, holder, Number.MAX_SAFE_INTEGER, ms)),
    );
  const release = (held: readonly HeldLease[]) =>
    Promise.allSettled(held.map(({ name, holder }) => leases.release(name, holder)));

  /** Those with a limit. */
  async function acquireLimited(): Promise<void> {
    if (!(await acquire(user, claims.limits.perUser))) throw new PortholeError('user_limit');
    try {
      if (!(await acquire(machine, claims.limits.perMachine))) throw new PortholeError('machine_limit');
    } catch (error) {
      await release([user]);
      throw error;
    }
  }

  if (!claims.follows) await acquireLimited();
  await renew([relay, all], ttl);

  const cancelRenewal = every(clock, ttl / 3, () => void renew([...shared, relay], ttl));
  return {
    async release() {
      cancelRenewal();
      await release([...shared, relay]);
    },
    async extend(ms) {
      cancelRenewal();
      await Promise.all([renew(shared, ms), release([relay])]);
    },
    async handOver() {
      cancelRenewal();
      await release([relay]);
    },
  };
}
