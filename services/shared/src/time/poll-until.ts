import { sleep, type Clock } from './clock.ts';

const timeoutMs = 1500;
const intervalMs = 50;

/**
 * Polls until `check` is true, for up to 1.5 s, and returns whether it became true. Rejects if the signal is aborted. For
 * quota leases that are about to be released: after a reload, the new console is there before the old one is gone.
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
