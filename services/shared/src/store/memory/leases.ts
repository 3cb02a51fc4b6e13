import type { Clock } from '../../time/clock.ts';
import { memoryFull } from './expiring-map.ts';
import { digest } from '../keys.ts';
import type { LeaseStore } from '../ports.ts';

interface Holders {
  /** The expiry of each, in the order in which they first asked, which a Map keeps. */
  readonly expiries: Map<string, number>;
  /** None expires before, so that they are not looked through at each call. */
  noneExpiresBefore: number;
}

/** Minimum interval between sweeps of all leases. */
const sweepMs = 1000;

/** Implements the same rules as redis/lease-script.ts. `assertOpen` throws if the store was stopped. */
export function createMemoryLeases(deps: {
  clock: Clock;
  maxEntries: number;
  assertOpen: () => void;
}): LeaseStore & { clear(): void } {
  const leases = new Map<string, Holders>();
  let totalHolders = 0;
  let nextSweep = 0;

  function removeHolder(name: string, holders: Holders, holder: string): void {
    if (holders.expiries.delete(holder)) totalHolders--;
    if (holders.expiries.size === 0) leases.delete(name);
  }

  function dropExpired(name: string, holders: Holders): void {
    const now = deps.clock.now();
    if (now < holders.noneExpiresBefore) return;
    holders.noneExpiresBefore = Infinity;
    for (const [holder, expires] of holders.expiries)
      if (expires <= now) removeHolder(name, holders, holder);
      else holders.noneExpiresBefore = Math.min(holders.noneExpiresBefore, expires);
  }

  /** The holders that have not expired. */
  function currentHolders(name: string): Holders {
    const holders = leases.get(name) ?? { expiries: new Map(), noneExpiresBefore: Infinity };
    dropExpired(name, holders);
    return holders;
  }

  function assertCapacity(): void {
    const now = deps.clock.now();
    if (now >= nextSweep) {
      nextSweep = now + sweepMs;
      for (const [name, holders] of leases) dropExpired(name, holders);
    }
    if (totalHolders >= deps.maxEntries) throw memoryFull(deps.maxEntries);
  }

  function addOrRenew(name: string, holders: Holders, holder: string, ttlMs: number): void {
    if (!holders.expiries.has(holder)) {
      assertCapacity();
      totalHolders++;
      leases.set(name, holders);
    }
    const expires = deps.clock.now() + ttlMs;
    holders.expiries.set(holder, expires);
    holders.noneExpiresBefore = Math.min(holders.noneExpiresBefore, expires);
  }

  return {
    async join(name, holder, limit, ttlMs) {
      deps.assertOpen();
      const holders = currentHolders(name);
      addOrRenew(name, holders, holder, ttlMs);
      const { expiries } = holders;
      return expiries.size <= limit ? 0 : Math.max(0, rank(expiries, holder) - limit + 1);
    },
    async tryAcquire(name, holder, limit, ttlMs) {
      deps.assertOpen();
      const holders = currentHolders(name);
      const { expiries } = holders;
      const fits = expiries.size < limit || (expiries.has(holder) && rank(expiries, holder) < limit);
      if (!fits) return false;
      addOrRenew(name, holders, holder, ttlMs);
      return true;
    },
    async release(name, holder) {
      deps.assertOpen();
      removeHolder(name, currentHolders(name), holder);
    },
    async count(name) {
      deps.assertOpen();
      return currentHolders(name).expiries.size;
    },
    async list(name) {
      deps.assertOpen();
      return [...currentHolders(name).expiries.keys()].map((holder) => digest(holder));
    },
    clear() {
      leases.clear();
      totalHolders = 0;
    },
  };
}

/** Number of holders that asked before `holder`. */
function rank(holders: ReadonlyMap<string, number>, holder: string): number {
  let before = 0;
  for (const other of holders.keys()) {
    if (other === holder) break;
    before++;
  }
  return before;
}
