import type { Cancel, Clock } from '@porthole/shared/time/clock';

export interface FakeClock extends Clock {
  /** Advances the time and runs the timers that became due, in order of their due time. */
  advance(ms: number): void;
  /** Number of pending timers, so that a test can assert that none is left. */
  pending(): number;
}

/** A clock that stands still until a test advances it. */
export function createFakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start;
  let sequence = 0;
  const timers = new Map<number, { due: number; fn: () => void }>();
  return {
    now: () => now,
    after(ms: number, fn: () => void): Cancel {
      const id = ++sequence;
      timers.set(id, { due: now + Math.max(0, ms), fn });
      return () => timers.delete(id);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...timers]
          .filter(([, t]) => t.due <= end)
          .sort((a, b) => a[1].due - b[1].due || a[0] - b[0])[0];
        if (!next) break;
        timers.delete(next[0]);
        now = Math.max(now, next[1].due);
        next[1].fn();
      }
      now = end;
    },
    pending: () => timers.size,
  };
}
