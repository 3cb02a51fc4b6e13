import type { ClusterConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import type { ProxmoxClient } from './client.ts';
import type { ProxmoxHost } from './host.ts';
import { clusterStatusResponse } from './responses.ts';
import type { TrustPolicy } from './trust-policy.ts';

/** The addresses of the nodes of a cluster. */
export interface NodeDirectory {
  /**
   * Returns the host of the node, or an entry point if the node's address is not known. Rejects if the addresses
   * were never read and can not be read now.
   */
  hostOf(node: string): Promise<ProxmoxHost>;
}

const refreshMs = 60_000;

/** Addresses from cluster/status, valid only under the policy that verified the peer that sent them. */
interface KnownHosts {
  readonly policy: TrustPolicy;
  readonly hosts: ReadonlyMap<string, ProxmoxHost>;
  readonly freshUntil: number;
}

/**
 * Console calls go to the machine's own node, which saves an ssh process per console and uses the ports of all nodes.
 * Addresses come from the configuration, or from cluster/status (requires Sys.Audit). If Proxmox refuses that, all
 * calls go to an entry point, which works if the nodes reach each other by ssh.
 */
export function createNodeDirectory(deps: {
  readonly cluster: Pick<ClusterConfig, 'nodes'>;
  readonly client: Pick<ProxmoxClient, 'get' | 'entryPoint' | 'trustPolicy'>;
  readonly clock: Pick<Clock, 'now'>;
}): NodeDirectory {
  const { cluster, client, clock } = deps;
  let known: KnownHosts | undefined;
  let pending: Promise<void> | undefined;

  async function refresh(policy: TrustPolicy): Promise<void> {
    try {
      known = { policy, hosts: await fetchHosts(), freshUntil: clock.now() + refreshMs };
    } catch (error) {
      if (error instanceof PortholeError && error.code === 'proxmox_permission')
        known = { policy, hosts: new Map(), freshUntil: clock.now() + refreshMs };
      // Addresses rarely change, so old ones are better than no console. The next call tries again.
      else if (known?.policy !== policy || known.hosts.size === 0) throw error;
    }
  }

  async function fetchHosts(): Promise<ReadonlyMap<string, ProxmoxHost>> {
    const { data } = await client.get({ path: '/cluster/status', schema: clusterStatusResponse });
    const { base } = client.entryPoint();
    return new Map(
      data.flatMap(({ type, name, ip }) =>
        type === 'node' && ip !== undefined ? [[name, hostAt(base, name, ip)] as const] : [],
      ),
    );
  }

  return {
    async hostOf(node) {
      const configured = cluster.nodes[node];
      if (configured) return { base: configured, nodeName: node };
      const policy = client.trustPolicy();
      if (known?.policy !== policy || clock.now() >= known.freshUntil) {
        pending ??= refresh(policy).finally(() => (pending = undefined));
        await pending;
      }
      const host = known?.policy === policy ? known.hosts.get(node) : undefined;
      // Not remembered: the entry point of the last call may be unavailable now.
      return host ?? client.entryPoint();
    },
  };
}

/** All nodes of a cluster listen on the port of its entry point: 8006, or that of a proxy in front of them. */
function hostAt(entryPoint: URL, nodeName: string, ip: string): ProxmoxHost {
  const base = new URL(entryPoint);
  base.hostname = ip.includes(':') ? `[${ip}]` : ip;
  return { base, nodeName };
}
