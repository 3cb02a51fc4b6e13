import type { Clock } from '../../time/clock.ts';
import { memoryFull } from './expiring-map.ts';
import { digest } from '../keys.ts';
import type { LeaseStore } from '../ports.ts';

/** The expiry of each holder, in the order in which they first asked, which a Map keeps. */
type Holders = Map<string, number>;

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
    if (holders.delete(holder)) totalHolders--;
    if (holders.size === 0) leases.delete(name);
  }

  function dropExpired(name: string, holders: Holders): void {
    const now = deps.clock.now();
    for (const [holder, expires] of holders) if (expires <= now) removeHolder(name, holders, holder);
  }

  /** The holders that have not expired. */
  function currentHolders(name: string): Holders {
    const holders = leases.get(name) ?? new Map<string, number>();
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
    if (!holders.has(holder)) {
      assertCapacity();
      totalHolders++;
      leases.set(name, holders);
    }
    holders.set(holder, deps.clock.now() + ttlMs);
  }

  return {
    async join(name, holder, limit, ttlMs) {
      deps.assertOpen();
      const holders = currentHolders(name);
      addOrRenew(name, holders, holder, ttlMs);
      return Math.max(0, rank(holders, holder) - limit + 1);
    },
    async tryAcquire(name, holder, limit, ttlMs) {
      deps.assertOpen();
      const holders = currentHolders(name);
      const before = holders.has(holder) ? rank(holders, holder) : holders.size;
      if (before >= limit) return false;
      addOrRenew(name, holders, holder, ttlMs);
      return true;
    },
    async release(name, holder) {
      deps.assertOpen();
      removeHolder(name, currentHolders(name), holder);
    },
    async count(name) {
      deps.assertOpen();
      return currentHolders(name).size;
    },
    async list(name) {
      deps.assertOpen();
      return [...currentHolders(name).keys()].map((holder) => digest(holder));
    },
    clear() {
      leases.clear();
      totalHolders = 0;
    },
  };
}

/** Number of holders that asked before `holder`. */
function rank(holders: Holders, holder: string): number {
  let before = 0;
  for (const other of holders.keys()) {
    if (other === holder) break;
    before++;
  }
  return before;
}
