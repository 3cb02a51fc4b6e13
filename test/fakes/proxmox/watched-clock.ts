import { eventually } from '../../eventually.ts';
import { createFakeClock, type FakeClock } from '../clock.ts';

/** A clock for tests of the fake, which tells what waits for it. */
export interface WatchedClock extends FakeClock {
  /** Resolves when a timer of exactly this many milliseconds is pending. */
  untilSomethingWaits(ms: number): Promise<void>;
  /** Resolves with the duration of a pending timer between the limits. */
  untilSomethingWaitsBetween(from: number, to: number): Promise<number>;
}

export function createWatchedClock(): WatchedClock {
  const clock = createFakeClock(Date.UTC(2026, 10, 23, 12));
  const waiting: number[] = [];
  return {
    ...clock,
    after(ms, fn) {
      waiting.push(ms);
      const forget = () => void waiting.splice(waiting.indexOf(ms), waiting.includes(ms) ? 1 : 0);
      let over = false;
      const cancel = clock.after(ms, () => {
        over = true;
        forget();
        fn();
      });
      return () => {
        if (!over) forget();
        over = true;
        cancel();
      };
    },
    untilSomethingWaits: (ms) => until(() => waiting.includes(ms)),
    async untilSomethingWaitsBetween(from, to) {
      const isBetween = (ms: number) => ms >= from && ms <= to;
      await until(() => waiting.some(isBetween));
      return waiting.find(isBetween) ?? Number.NaN;
    },
  };
}

/** Waits in real time, until work that timers of the fake clock have started is done. */
export async function until(condition: () => boolean): Promise<void> {
  await eventually(condition.toString(), condition);
}
