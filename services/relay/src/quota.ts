import { every, type Clock } from '@porthole/shared/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant-claims';
import { soon } from '@porthole/shared/soon';
import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';

/**
 * Counts the console against its user's and its machine's limit, over all relays, for as long as it lives.
 * Rejects with `user_limit` or `machine_limit`. Should the relay die, the counts run out by themselves.
 */
export async function takeQuota(
  deps: { readonly leases: LeaseStore; readonly clock: Clock; readonly signal: AbortSignal },
  claims: GrantClaims,
): Promise<() => Promise<void>> {
  const { leases, clock, signal } = deps;
  const ttl = lifetimes.consoleLease;
  const holder = claims.sessionId;
  const user = { name: leaseNames.user(claims.user.id), limit: claims.limits.perUser };
  const machine = { name: leaseNames.machine(claims.cluster, claims.vmid), limit: claims.limits.perMachine };

  const acquire = ({ name, limit }: { name: string; limit: number }) =>
    soon(clock, () => leases.tryAcquire(name, holder, limit, ttl), signal);

  if (!(await acquire(user))) throw new PortholeError('user_limit');
  try {
    if (!(await acquire(machine))) throw new PortholeError('machine_limit');
  } catch (error) {
    await leases.release(user.name, holder).catch(() => {});
    throw error;
  }

  // Renewed whatever the limit says now: a live console is never ended because the store forgot it.
  const renew = () => {
    for (const { name } of [user, machine])
      void leases.join(name, holder, Number.MAX_SAFE_INTEGER, ttl).catch(() => {});
  };
  const cancel = every(clock, ttl / 3, renew);
  return async () => {
    cancel();
    await Promise.allSettled([leases.release(user.name, holder), leases.release(machine.name, holder)]);
  };
}
