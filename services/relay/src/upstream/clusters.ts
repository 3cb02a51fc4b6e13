import type { Clock } from '@porthole/shared/time/clock';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { createHostStateLogger } from '@porthole/shared/proxmox/host-state-logger';
import type { ProxmoxMetrics } from '@porthole/shared/proxmox/metrics';
import { createNodeDirectory } from '@porthole/shared/proxmox/node-directory';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { RelayCluster } from './machine.ts';

/** Creates a client for every configured Proxmox cluster, with the relay's own credential if there is one. */
export function createRelayClusters(
  configs: readonly ClusterConfig[],
  deps: {
    readonly clock: Clock;
    readonly random: RandomBytes;
    readonly log: Log;
    readonly metrics: ProxmoxMetrics;
    readonly tracing: Tracing;
  },
): ReadonlyMap<string, RelayCluster> {
  const { clock, random, log, metrics, tracing } = deps;
  return new Map(
    configs.map((config) => {
      const { name, opensPerNode } = config;
      const client = createProxmoxClient({
        cluster: config,
        credential: config.relayCredential ?? config.credential,
        clock,
        random,
        onCallCompleted: (call) => metrics.recordCall(name, call),
        onHostStateChange: createHostStateLogger(name, log),
        tracing,
      });
      metrics.registerHosts(name, client.hostStates);
      const nodes = createNodeDirectory({ cluster: config, client, clock });
      return [name, { name, opensPerNode, client, nodes }];
    }),
  );
}
