import { machinesIn, nodesIn, type Machine } from './machine.ts';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import { PortholeError } from '@porthole/shared/errors';
import { clusterStatusResponse, resourcesResponse } from '@porthole/shared/proxmox/responses';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';

/**
 * One call answers for the whole cluster, from what its nodes tell each other, so it also works while some of
 * them are away. Lists what the credential may audit. With shells of nodes it is a second call (needs Sys.Audit).
 */
export async function listMachines(
  client: Pick<ProxmoxClient, 'get'>,
  { name, nodeShells }: Pick<ClusterConfig, 'name' | 'nodeShells'>,
): Promise<readonly Machine[]> {
  const [guests, nodes] = await Promise.all([
    client.get({ path: '/cluster/resources?type=vm', schema: resourcesResponse }),
    nodeShells
      ? client.get({ path: '/cluster/status', schema: clusterStatusResponse }).catch(unlessRefused)
      : undefined,
  ]);
  return [...(nodes ? nodesIn(name, nodes) : []), ...machinesIn(name, guests)];
}

/** Who may not see the nodes has none to open; the machines are shown all the same. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof PortholeError && error.code === 'proxmox_permission')) throw error;
}
