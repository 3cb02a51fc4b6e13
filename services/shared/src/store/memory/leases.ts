import type { Clock } from '../../time/clock.ts';
import { memoryFull } from './expiring-map.ts';
import { digest } from '../keys.ts';
import type { LeaseStore } from '../ports.ts';

/** When each holder's place expires, in the order in which they first asked: a Map keeps that order. */
type Holders = Map<string, number>;

/** How often, at most, a newcomer pays for looking at every line. */
const sweepMs = 1000;

/** The same rules as the script in redis-leases.ts. `use` throws when the store was stopped. */
export function createMemoryLeases(deps: {
  clock: Clock;
  maxEntries: number;
  assertOpen: () => void;
}): LeaseStore & { clear(): void } {
  const leases = new Map<string, Holders>();
  let totalHolders = 0;
  let nextSweep = 0;

  function removeHolder(name: string, line: Holders, holder: string): void {
    if (line.delete(holder)) totalHolders--;
    if (line.size === 0) leases.delete(name);
  }

  function dropExpired(name: string, line: Holders): void {
    const now = deps.clock.now();
    for (const [holder, expires] of line) if (expires <= now) removeHolder(name, line, holder);
  }

  /** The line without its dead. */
  function currentHolders(name: string): Holders {
    const line = leases.get(name) ?? new Map<string, number>();
    dropExpired(name, line);
    return line;
  }

  function assertCapacity(): void {
    const now = deps.clock.now();
    if (now >= nextSweep) {
      nextSweep = now + sweepMs;
      for (const [name, line] of leases) dropExpired(name, line);
    }
    if (totalHolders >= deps.maxEntries) throw memoryFull(deps.maxEntries);
  }

  function addOrRenew(name: string, line: Holders, holder: string, ttlMs: number): void {
    if (!line.has(holder)) {
      assertCapacity();
      totalHolders++;
      leases.set(name, line);
    }
    line.set(holder, deps.clock.now() + ttlMs);
  }

  return {
    async join(name, holder, limit, ttlMs) {
      deps.assertOpen();
      const line = currentHolders(name);
      addOrRenew(name, line, holder, ttlMs);
      return Math.max(0, rank(line, holder) - limit + 1);
    },
    async tryAcquire(name, holder, limit, ttlMs) {
      deps.assertOpen();
      const line = currentHolders(name);
      const place = line.has(holder) ? rank(line, holder) : line.size;
      if (place >= limit) return false;
      addOrRenew(name, line, holder, ttlMs);
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

/** How many asked before `holder`. */
function rank(line: Holders, holder: string): number {
  let before = 0;
  for (const other of line.keys()) {
    if (other === holder) break;
    before++;
  }
  return before;
}
