import { sleep, type Clock } from '@porthole/shared/time/clock';
import type { RandomBytes } from '@porthole/shared/crypto/random';

/** With few sessions, draining takes no longer than one after the other at this interval. */
const intervalMs = 100;

/**
 * Calls `drain` for each session, evenly spread with jitter over at most `windowMs`, so that the other relays and
 * Proxmox see a steady stream of reconnects instead of all at once.
 */
export async function staggerDrain<T>(
  deps: { readonly clock: Clock; readonly random: RandomBytes },
  sessions: readonly T[],
  windowMs: number,
  drain: (session: T) => void,
): Promise<void> {
  const interval = Math.min(intervalMs, windowMs / Math.max(1, sessions.length));
  await Promise.all(
    sessions.map(async (session, index) => {
      const jitter = deps.random(2).readUInt16BE() / 2 ** 16;
      await sleep(deps.clock, interval * (index + jitter));
      drain(session);
    }),
  );
}
