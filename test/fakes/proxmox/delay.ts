import type { Random } from './random.ts';

/** Milliseconds: a fixed time, or limits between which each use draws a time of its own. */
export type Delay = number | { readonly from: number; readonly to: number };

export function drawDelay(delay: Delay, random: Random): number {
  return typeof delay === 'number' ? delay : delay.from + random() * (delay.to - delay.from);
}
