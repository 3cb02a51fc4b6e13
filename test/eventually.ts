import { setTimeout as pause } from 'node:timers/promises';

/** Waits until `check` holds: for what really takes time. Fails with `what` after a generous while. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  ms = 45_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`Not so after ${ms} ms: ${what}`);
    await pause(10);
  }
}
