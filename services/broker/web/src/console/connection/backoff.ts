/**
 * 1, 2, 4 … 30 seconds, each up to a quarter shorter or longer: when a relay dies under a whole class, the
 * class must not come back in one wave.
 */
export function backoff(attempt: number, random: () => number): number {
  const base = Math.min(30_000, 1000 * 2 ** Math.min(attempt, 10));
  return Math.round(base * (0.75 + random() * 0.5));
}
