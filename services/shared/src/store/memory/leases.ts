import type { Clock } from '../../time/clock.ts';
import { memoryFull } from './expiring-map.ts';
import { digest } from '../keys.ts';
import type { LeaseStore } from '../ports.ts';

/** When each holder's place expires, in the order in which they first asked: a Map keeps that order. */
type Line = Map<string, number>;

/** How often, at most, a newcomer pays for looking at every line. */
const sweepMs = 1000;

/** The same rules as the script in redis-leases.ts. `use` throws when the store was stopped. */
export function createMemoryLeases(deps: {
  clock: Clock;
  maxEntries: number;
  use: () => void;
}): LeaseStore & { clear(): void } {
  const lines = new Map<string, Line>();
  let places = 0;
  let nextSweep = 0;

  function leave(name: string, line: Line, holder: string): void {
    if (line.delete(holder)) places--;
    if (line.size === 0) lines.delete(name);
  }

  function dropExpired(name: string, line: Line): void {
    const now = deps.clock.now();
    for (const [holder, expires] of line) if (expires <= now) leave(name, line, holder);
  }

  /** The line without its dead. */
  function lineOf(name: string): Line {
    const line = lines.get(name) ?? new Map<string, number>();
    dropExpired(name, line);
    return line;
  }

  function makeRoom(): void {
    const now = deps.clock.now();
    if (now >= nextSweep) {
      nextSweep = now + sweepMs;
      for (const [name, line] of lines) dropExpired(name, line);
    }
    if (places >= deps.maxEntries) throw memoryFull(deps.maxEntries);
  }

  function enter(name: string, line: Line, holder: string, ttlMs: number): void {
    if (!line.has(holder)) {
      makeRoom();
      places++;
      lines.set(name, line);
    }
    line.set(holder, deps.clock.now() + ttlMs);
  }

  return {
    async join(name, holder, limit, ttlMs) {
      deps.use();
      const line = lineOf(name);
      enter(name, line, holder, ttlMs);
      return Math.max(0, rank(line, holder) - limit + 1);
    },
    async tryAcquire(name, holder, limit, ttlMs) {
      deps.use();
      const line = lineOf(name);
      const place = line.has(holder) ? rank(line, holder) : line.size;
      if (place >= limit) return false;
      enter(name, line, holder, ttlMs);
      return true;
    },
    async release(name, holder) {
      deps.use();
      leave(name, lineOf(name), holder);
    },
    async count(name) {
      deps.use();
      return lineOf(name).size;
    },
    async list(name) {
      deps.use();
      return [...lineOf(name).keys()].map((holder) => digest(holder));
    },
    clear() {
      lines.clear();
      places = 0;
    },
  };
}

/** How many asked before `holder`. */
function rank(line: Line, holder: string): number {
  let before = 0;
  for (const other of line.keys()) {
    if (other === holder) break;
    before++;
  }
  return before;
}
