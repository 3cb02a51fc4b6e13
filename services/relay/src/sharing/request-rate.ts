import type { Clock } from '@porthole/shared/time/clock';

/** Limits how often something happens in this process: `burst` at once, and `perSecond` in the long run. */
export function createRequestRate(
  clock: Clock,
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
): () => boolean {
  let left = burst;
  let filledAt = clock.now();
  return () => {
    const now = clock.now();
    // A clock that was set back gives nothing.
    left = Math.min(burst, left + (Math.max(0, now - filledAt) * perSecond) / 1000);
    filledAt = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}
