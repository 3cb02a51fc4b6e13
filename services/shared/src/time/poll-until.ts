import { sleep, type Clock } from './clock.ts';

const patienceMs = 1500;
const lookEveryMs = 50;

/**
 * Whether `check` comes true within a moment. For places that somebody is just leaving: who reloads a page or
 * reconnects is there before the console that they gave up is gone.
 */
export async function pollUntil(
  clock: Clock,
  check: () => Promise<boolean>,
  signal?: AbortSignal,
): Promise<boolean> {
  const end = clock.now() + patienceMs;
  while (!(await check())) {
    if (clock.now() >= end) return false;
    await sleep(clock, lookEveryMs, signal);
  }
  return true;
}
