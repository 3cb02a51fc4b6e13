import type { Flow, Idle } from './measure.ts';
import type { Plan } from './plan.ts';

export interface Results {
  readonly machine: string;
  readonly plan: Plan;
  /** By relay, by workload: one entry per round. */
  readonly flows: ReadonlyMap<string, ReadonlyMap<string, readonly Flow[]>>;
  readonly idle: ReadonlyMap<string, readonly Idle[]>;
  readonly skipped: readonly string[];
}
