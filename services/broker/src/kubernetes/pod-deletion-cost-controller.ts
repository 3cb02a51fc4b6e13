import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, type Clock } from '@porthole/shared/time/clock';
import type { KubernetesState } from '../metrics.ts';
import { createLeadership } from './leadership.ts';
import { createFailureLog, updatePodDeletionCosts } from './pod-deletion-costs.ts';
import type { Kubernetes } from './ports.ts';
import { createRelayPods } from './relay-pods.ts';

/** Kubernetes asks for no more frequent updates (KEP-2255). */
const roundMs = 60_000;

export interface PodDeletionCostControllerDeps {
  /** Loads the Kubernetes client, which needs much memory, only where it is used. */
  readonly connect: () => Promise<Kubernetes>;
  readonly identity: string;
  readonly countConsoles: (relay: string) => Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: {
    podCosts(result: 'ok' | 'failed', count: number): void;
    observeKubernetes(read: () => KubernetesState): void;
  };
}

/**
 * Keeps the deletion cost of relay pods up to date, so that Kubernetes scales down relays with few consoles first. One
 * broker leads and writes once per minute. Nothing else depends on it: without Kubernetes, consoles open and run.
 */
export function createPodDeletionCostController(deps: PodDeletionCostControllerDeps): LifecycleComponent {
  const { clock, log } = deps;
  let stop = async (): Promise<void> => {};

  async function start(): Promise<void> {
    const kubernetes = await deps.connect();
    const leadership = createLeadership({ lease: kubernetes.lease, identity: deps.identity, clock, log });
    const pods = createRelayPods({ watch: kubernetes.watchRelays, clock, log });
    const logFailures = createFailureLog(log, 'cannot write the deletion cost of relay pods');
    deps.metrics.observeKubernetes(() => ({
      leads: leadership.isLeader(),
      relays: pods.list().length,
      staleSeconds: pods.staleSeconds(),
    }));

    async function round(): Promise<void> {
      if (!leadership.isLeader()) return pods.stop();
      pods.start();
      const { written, failed } = await updatePodDeletionCosts({
        pods: pods.list(),
        countConsoles: deps.countConsoles,
        write: kubernetes.setDeletionCost,
        isLeader: leadership.isLeader,
      });
      deps.metrics.podCosts('ok', written);
      deps.metrics.podCosts('failed', failed.length);
      logFailures(failed);
    }

    let stopped = false;
    let running: Promise<void> | undefined;
    const runRound = () => {
      if (stopped) return;
      running ??= round()
        .catch((error: unknown) => log.warn({ err: error }, 'cannot update the deletion cost of relay pods'))
        .finally(() => (running = undefined));
    };
    const cancel = every(clock, roundMs, runRound);
    stop = async () => {
      stopped = true;
      cancel();
      await running;
      await pods.stop();
      await leadership.stop();
    };
    // The start of the broker does not wait for the API server, which can be unavailable.
    void leadership.start().then(runRound);
  }

  return { name: 'kubernetes', start, stop: () => stop() };
}
