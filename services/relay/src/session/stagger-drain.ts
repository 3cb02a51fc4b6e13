import { sleep, type Clock } from '@porthole/shared/time/clock';
import type { RandomBytes } from '@porthole/shared/crypto/random';

/** A few consoles take no longer than they must: one after the other at this pace. */
const paceMs = 100;

/**
 * Says farewell to each, evenly spread with jitter over at most `windowMs`: the other relays and Proxmox get a
 * stream of newcomers, not a wave.
 */
export async function spreadOver<T>(
  deps: { readonly clock: Clock; readonly random: RandomBytes },
  all: readonly T[],
  windowMs: number,
  farewell: (one: T) => void,
): Promise<void> {
  const pace = Math.min(paceMs, windowMs / Math.max(1, all.length));
  await Promise.all(
    all.map(async (one, index) => {
      const jitter = deps.random(2).readUInt16BE() / 2 ** 16;
      await sleep(deps.clock, pace * (index + jitter));
      farewell(one);
    }),
  );
}
