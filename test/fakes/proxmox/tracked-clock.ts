import type { Cancel, Clock } from '@porthole/shared/time/clock';

export interface TrackedClock extends Clock {
  /** Forgets everything that still waits: after this nothing of the fake can keep the process alive. */
  cancelAll(): void;
}

/**
 * The fake's own view of the injected clock: it remembers its timers so that closing leaves none behind, and a wait of
 * nothing is over at once, so that a delay set to 0 needs no one to move a standing clock.
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
