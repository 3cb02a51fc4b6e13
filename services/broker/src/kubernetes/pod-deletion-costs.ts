import type { Log } from '@porthole/shared/telemetry/log';
import type { RelayPod } from './ports.ts';

/** Writes to the API server in one round. The next round writes the rest. */
const maxWrites = 20;

/**
 * The value of controller.kubernetes.io/pod-deletion-cost for a relay: a ReplicaSet that scales down deletes the pods with
 * the lowest cost first. Coarse steps (0, 1, 5, 10, 20, 40, …), because each change is a write to the API server, and
 * Kubernetes asks not to update the cost from a metric (KEP-2255).
 */
export function deletionCostFor(consoles: number): number {
  if (consoles < 1) return 0;
  if (consoles < 5) return 1;
  if (consoles < 10) return 5;
  return 10 * 2 ** Math.floor(Math.log2(consoles / 10));
}

/**
 * Writes the costs that have changed, largest increase first: Kubernetes takes these pods wrongly for idle. Costs stay in
 * the annotations when Porthole is removed.
 */
export async function updatePodDeletionCosts(deps: {
  readonly pods: readonly RelayPod[];
  readonly countConsoles: (relay: string) => Promise<number>;
  readonly write: (pod: string, cost: number) => Promise<void>;
  /** Checked before each write, because leadership can end during a round. */
  readonly isLeader: () => boolean;
}): Promise<{ written: number; failed: unknown[] }> {
  const changes = [];
  for (const pod of deps.pods) {
    if (pod.terminating) continue;
    const cost = deletionCostFor(await deps.countConsoles(pod.name));
    const current = Number(pod.deletionCost ?? 0);
    if (cost !== current) changes.push({ pod: pod.name, cost, increase: cost - current });
  }
  changes.sort((a, b) => b.increase - a.increase);
  let written = 0;
  const failed: unknown[] = [];
  for (const { pod, cost } of changes.slice(0, maxWrites)) {
    if (!deps.isLeader()) break;
    try {
      await deps.write(pod, cost);
      written += 1;
    } catch (error) {
      failed.push(error);
    }
  }
  return { written, failed };
}

/** Logs the first of repeated failures, until a round without failures. */
export function createFailureLog(log: Log, message: string): (failed: readonly unknown[]) => void {
  let isLogged = false;
  return (failed) => {
    if (failed.length > 0 && !isLogged) log.warn({ err: failed[0] }, message);
    isLogged = failed.length > 0;
  };
}
