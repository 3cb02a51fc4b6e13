import type { Cancel, Clock } from '@porthole/shared/time/clock';

export interface TrackedClock extends Clock {
  /** Cancels all timers, so that the fake does not keep the process alive. */
  cancelAll(): void;
}

/**
 * Wraps the injected clock. Tracks the timers, so that closing the fake cancels them, and runs timers of 0 ms at once,
 * so that a test with a standing clock need not advance it.
 */
export function createTrackedClock(clock: Clock): TrackedClock {
  const waiting = new Set<Cancel>();
  let closed = false;
  return {
    now: () => clock.now(),
    after(ms, fn) {
      if (closed) return () => {};
      if (ms <= 0) {
        let wanted = true;
        queueMicrotask(() => wanted && fn());
        return () => void (wanted = false);
      }
      const cancel = clock.after(ms, () => {
        waiting.delete(forget);
        fn();
      });
      const forget = () => {
        waiting.delete(forget);
        cancel();
      };
      waiting.add(forget);
      return forget;
    },
    cancelAll() {
      closed = true;
      for (const forget of waiting) forget();
    },
  };
}
