import type { Log } from '@porthole/shared/telemetry/log';
import { deletionCostFor } from './deletion-cost.ts';
import type { RelayPod } from './ports.ts';

/** Writes to the API server in one round; the rest has its turn in the next. */
const writesPerRound = 20;

/**
 * One round: tells Kubernetes what each relay's deletion would cost, where that has changed. The relays that matter
 * most come first: those that Kubernetes would wrongly take for empty. What was written stays when Porthole goes.
 */
export async function updatePodDeletionCosts(deps: {
  readonly pods: readonly RelayPod[];
  readonly consolesOf: (relay: string) => Promise<number>;
  readonly write: (pod: string, cost: number) => Promise<void>;
  /** Somebody else may have begun to lead meanwhile. */
  readonly mayGoOn: () => boolean;
}): Promise<{ written: number; failed: unknown[] }> {
  const changes = [];
  for (const pod of deps.pods) {
    if (pod.terminating) continue;
    const cost = deletionCostFor(await deps.consolesOf(pod.name));
    const known = Number(pod.deletionCost ?? 0);
    if (cost !== known) changes.push({ pod: pod.name, cost, change: cost - known });
  }
  changes.sort((a, b) => b.change - a.change);
  let written = 0;
  const failed: unknown[] = [];
  for (const { pod, cost } of changes.slice(0, writesPerRound)) {
    if (!deps.mayGoOn()) break;
    try {
      await deps.write(pod, cost);
      written += 1;
    } catch (error) {
      failed.push(error);
    }
  }
  return { written, failed };
}

/** Says once what goes wrong again and again, until it works again. */
export function createFailureLog(log: Log, words: string): (failed: readonly unknown[]) => void {
  let said = false;
  return (failed) => {
    if (failed.length > 0 && !said) log.warn({ err: failed[0] }, words);
    said = failed.length > 0;
  };
}
