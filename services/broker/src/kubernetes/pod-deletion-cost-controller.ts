import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import type { KubernetesState } from '../metrics.ts';
import { createLeadership } from './leadership.ts';
import { createFailureLog, updatePodDeletionCosts } from './pod-deletion-costs.ts';
import type { Kubernetes } from './ports.ts';
import { createRelayPods } from './relay-pods.ts';

/** Kubernetes asks for no more writes than this (KEP-2255). */
const roundMs = 60_000;

export interface PodDeletionCostControllerDeps {
  /** Loads the client: only who uses Kubernetes pays for it. */
  readonly connect: () => Promise<Kubernetes>;
  readonly identity: string;
  readonly consolesOf: (relay: string) => Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: {
    podCosts(result: 'ok' | 'failed', count: number): void;
    observeKubernetes(read: () => KubernetesState): void;
  };
}

/**
 * The brokers' hand in the cluster. One of them leads, and tells Kubernetes once a minute which relays carry how
 * many consoles, so that scaling down takes the empty ones first. Nothing else depends on it: without Kubernetes,
 * or while it is away, consoles open and run as ever.
 */
export function createPodDeletionCostController(deps: PodDeletionCostControllerDeps): LifecycleComponent {
  const { clock, log } = deps;
  let stop = async (): Promise<void> => {};

  async function start(): Promise<void> {
    const kubernetes = await deps.connect();
    const leadership = createLeadership({ lease: kubernetes.lease, identity: deps.identity, clock, log });
    const pods = createRelayPods({ watch: kubernetes.watchRelays, clock, log });
    const sayFailures = createFailureLog(log, 'the deletion cost of a relay can not be written');
    deps.metrics.observeKubernetes(() => ({
      leads: leadership.isLeader(),
      relays: pods.list().length,
      staleSeconds: pods.staleSeconds(),
    }));

    let working: Promise<void> | undefined;
    async function round(): Promise<void> {
      if (!leadership.isLeader()) return pods.stop();
      pods.start();
      const { written, failed } = await updatePodDeletionCosts({
        pods: pods.list(),
        consolesOf: deps.consolesOf,
        write: kubernetes.setDeletionCost,
        mayGoOn: leadership.isLeader,
      });
      deps.metrics.podCosts('ok', written);
      deps.metrics.podCosts('failed', failed.length);
      sayFailures(failed);
    }
    const begin = () => {
      working ??= round()
        .catch((error: unknown) => log.warn({ err: error }, 'the relays could not be counted'))
        .finally(() => (working = undefined));
    };
    const cancel: Cancel = every(clock, roundMs, begin);
    stop = async () => {
      cancel();
      await working;
      await pods.stop();
      await leadership.stop();
    };
    // The API server may be away: it is tried again, and nobody waits for it.
    void leadership.start().then(begin);
  }

  return { name: 'kubernetes', start, stop: () => stop() };
}
