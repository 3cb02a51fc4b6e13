import type { Clock } from '../time/clock.ts';
import type { ClusterConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';
import { clusterStatusResponse } from './responses.ts';
import type { ProxmoxClient, ProxmoxHost } from './client.ts';

/** Where each node of a cluster is reached. */
export interface NodeDirectory {
  hostOf(node: string): Promise<ProxmoxHost>;
}

const keepMs = 60_000;

/**
 * Console calls go to the machine's own node: it spares Proxmox an ssh process per console and one shared
 * pool of ports. Addresses come from the configuration, or from cluster/status (needs Sys.Audit); where that
 * is refused the entry point serves all, which works as long as its nodes reach each other by ssh.
 */
export function createNodeDirectory(deps: {
  readonly cluster: ClusterConfig;
  readonly client: ProxmoxClient;
  readonly clock: Clock;
}): NodeDirectory {
  const { cluster, client, clock } = deps;
  let known: ReadonlyMap<string, ProxmoxHost> = new Map();
  let until = 0;
  let pending: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    try {
      const { data } = await client.get({ path: '/cluster/status', schema: clusterStatusResponse });
      known = new Map(
        data.flatMap(({ type, name, ip }) =>
          type === 'node' && ip ? [[name, hostAt(client.entryPoint(), name, ip)] as const] : [],
        ),
      );
    } catch (error) {
      if (error instanceof PortholeError && error.code === 'proxmox_permission') known = new Map();
      // Nodes hardly ever move: what was known is better than no console. The next one who asks tries again.
      else if (known.size > 0) return;
      else throw error;
    }
    until = clock.now() + keepMs;
  }

  return {
    async hostOf(node) {
      const configured = cluster.nodes[node];
      if (configured) return { base: configured, nodeName: node };
      if (clock.now() >= until) {
        pending ??= refresh().finally(() => (pending = undefined));
        await pending;
      }
      // Asked each time: the entry point that served all until now may be away.
      return known.get(node) ?? client.entryPoint();
    },
  };
}

/** All nodes of a cluster listen on the same port as its entry point, 8006 unless a proxy stands in front. */
function hostAt(entry: ProxmoxHost, nodeName: string, ip: string): ProxmoxHost {
  const base = new URL(entry.base);
  base.hostname = ip.includes(':') ? `[${ip}]` : ip;
  return { base, nodeName };
}
