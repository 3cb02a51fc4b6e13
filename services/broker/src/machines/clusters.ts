import type { Clock } from '@porthole/shared/time/clock';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import type { ErrorCode, PortholeError } from '@porthole/shared/errors';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import { createProxmoxClient, type ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createHostStateLogger } from '@porthole/shared/proxmox/host-state-logger';
import type { ProxmoxMetrics } from '@porthole/shared/proxmox/metrics';
import { createClusterList, type ClusterList } from './cluster-list.ts';
import { listMachines } from './proxmox-list.ts';

export interface Clusters {
  readonly lists: ReadonlyMap<string, ClusterList>;
  readonly clients: ReadonlyMap<string, ProxmoxClient>;
  readonly part: LifecycleComponent;
}

/** The lists of all configured clusters, each with a client of its own. Nobody is asked before somebody looks. */
export function createClusters(deps: {
  readonly clusters: readonly ClusterConfig[];
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly onRefresh: (cluster: string, result: 'ok' | ErrorCode) => void;
  readonly metrics: ProxmoxMetrics;
}): Clusters {
  const { clock, log, metrics } = deps;
  const entries = deps.clusters.map((cluster) => {
    const { name } = cluster;
    const credential = cluster.brokerCredential ?? cluster.credential;
    const client = createProxmoxClient({
      cluster,
      credential,
      clock,
      onCallCompleted: (seen) => metrics.recordCall(name, seen),
      onHostStateChange: createHostStateLogger(name, log),
    });
    metrics.registerHosts(name, client.hostStates);
    const logChange = createLogChange(name, log);
    const list = createClusterList({
      clock,
      listMachines: () => listMachines(client, cluster),
      onRefresh(error) {
        deps.onRefresh(name, error?.code ?? 'ok');
        logChange(error);
      },
    });
    return { name, client, list };
  });
  return {
    lists: new Map(entries.map(({ name, list }) => [name, list])),
    clients: new Map(entries.map(({ name, client }) => [name, client])),
    part: {
      name: 'proxmox clients',
      async stop() {
        await Promise.all(entries.map(({ client }) => client.close()));
      },
    },
  };
}

/** Proxmox is asked every few seconds; that it is away is news once, and so is that it is back. */
function createLogChange(
  cluster: string,
  log: Pick<Log, 'info' | 'warn'>,
): (error: PortholeError | undefined) => void {
  let last: ErrorCode | undefined;
  return (error) => {
    if (error && error.code !== last)
      log.warn({ cluster, err: error }, 'Proxmox does not give its list of machines');
    if (!error && last !== undefined) log.info({ cluster }, 'Proxmox gives its list of machines again');
    last = error?.code;
  };
}
