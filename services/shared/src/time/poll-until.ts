import { sleep, type Clock } from './clock.ts';

const timeoutMs = 1500;
const intervalMs = 50;

/**
 * Whether `check` comes true within a moment. For places that somebody is just leaving: who reloads a page or
 * reconnects is there before the console that they gave up is gone.
 */
export async function pollUntil(
  clock: Clock,
  check: () => Promise<boolean>,
  signal?: AbortSignal,
): Promise<boolean> {
  const end = clock.now() + timeoutMs;
  while (!(await check())) {
    if (clock.now() >= end) return false;
    await sleep(clock, intervalMs, signal);
  }
  return true;
}
