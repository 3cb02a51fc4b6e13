import { onAbort } from './on-abort.ts';

/**
 * Time as an argument. Code that waits, expires or measures takes a `Clock`, so that tests advance time by hand instead
 * of sleeping.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `fn` once after `ms` milliseconds. The returned function cancels it; calling that twice is harmless. */
  after(ms: number, fn: () => void): Cancel;
  /** A repeating timer, if the clock has one: it needs half of the memory of `after`, again and again. */
  every?(ms: number, fn: () => void): Cancel;
}

export type Cancel = () => void;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  every(ms, fn) {
    const timer = setInterval(fn, ms);
    return () => clearInterval(timer);
  },
};

/** Calls `fn` every `ms` milliseconds until cancelled. Rounds never overlap: each is scheduled when the last begins. */
export function every(clock: Clock, ms: number, fn: () => void): Cancel {
  if (clock.every) return clock.every(ms, fn);
  let cancel: Cancel = () => {};
  const round = () => {
    cancel = clock.after(ms, round);
    fn();
  };
  cancel = clock.after(ms, round);
  return () => cancel();
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as the signal is aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      removeListener();
      resolve();
    });
    const removeListener = onAbort(signal, (reason) => {
      cancel();
      reject(reason);
    });
  });
}
