import type { Clock } from '@porthole/shared/time/clock';
import type { Config } from '@porthole/shared/config/schema';
import type { ErrorCode, PortholeError } from '@porthole/shared/errors';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import { createProxmoxClient, type ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createHostStateLogger } from '@porthole/shared/proxmox/host-state-logger';
import { createMachineList, type MachineList } from './machine-list.ts';
import type { BrokerMetrics } from '../metrics.ts';
import { listMachines } from './list-machines.ts';

export interface Clusters {
  readonly lists: ReadonlyMap<string, MachineList>;
  readonly clients: ReadonlyMap<string, ProxmoxClient>;
  readonly component: LifecycleComponent;
}

/** Creates a Proxmox client and a machine list for each configured cluster. Lists are requested on demand only. */
export function createClusters(deps: {
  readonly config: Pick<Config, 'clusters'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly metrics: Pick<BrokerMetrics, 'listRefresh' | 'proxmox'>;
}): Clusters {
  const { clock, log, metrics } = deps;
  const entries = deps.config.clusters.map((cluster) => {
    const { name } = cluster;
    const credential = cluster.brokerCredential ?? cluster.credential;
    const client = createProxmoxClient({
      cluster,
      credential,
      clock,
      onCallCompleted: (call) => metrics.proxmox.recordCall(name, call),
      onHostStateChange: createHostStateLogger(name, log),
    });
    metrics.proxmox.registerHosts(name, client.hostStates);
    const logFailure = createFailureLog(name, log);
    const list = createMachineList({
      clock,
      listMachines: () => listMachines(client, cluster),
      onRefresh(error) {
        metrics.listRefresh(name, error?.code ?? 'ok');
        logFailure(error);
      },
    });
    return { name, client, list };
  });
  return {
    lists: new Map(entries.map(({ name, list }) => [name, list])),
    clients: new Map(entries.map(({ name, client }) => [name, client])),
    component: {
      name: 'proxmox clients',
      async stop() {
        await Promise.all(entries.map(({ client }) => client.close()));
      },
    },
  };
}

/** Logs a failure once, and logs its end. */
function createFailureLog(
  cluster: string,
  log: Pick<Log, 'info' | 'warn'>,
): (error: PortholeError | undefined) => void {
  let last: ErrorCode | undefined;
  return (error) => {
    if (error && error.code !== last)
      log.warn({ cluster, err: error }, 'cannot list the machines of a cluster');
    if (!error && last !== undefined) log.info({ cluster }, 'can list the machines of a cluster again');
    last = error?.code;
  };
}
