import type { z } from 'zod';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import { PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { clusterStatusResponse, resourcesResponse } from '@porthole/shared/proxmox/responses';
import type { Machine } from './machine.ts';

/** Proxmox numbers guests from here (pve-common, JSONSchema.pm, pve-vmid). */
const firstGuestVmid = 100;

/**
 * Lists all machines of a cluster that the credential may audit. Any node answers for all, even while others are offline.
 * With `nodeShells` it also lists the nodes, which needs Sys.Audit.
 */
export async function listMachines(
  client: Pick<ProxmoxClient, 'get'>,
  { name, nodeShells }: Pick<ClusterConfig, 'name' | 'nodeShells'>,
): Promise<readonly Machine[]> {
  const [guests, nodes] = await Promise.all([
    client.get({ path: '/cluster/resources?type=vm', schema: resourcesResponse }),
    nodeShells
      ? client.get({ path: '/cluster/status', schema: clusterStatusResponse }).catch(ignoreDenied)
      : undefined,
  ]);
  return [...(nodes ? parseNodes(name, nodes) : []), ...parseGuests(name, guests)];
}

/** Without permission to list the nodes, the list has the guests only. */
function ignoreDenied(error: unknown): undefined {
  if (!(error instanceof PortholeError && error.code === 'proxmox_permission')) throw error;
}

/** Omits templates: Proxmox cannot start them, so they have no console. */
function parseGuests(cluster: string, response: z.infer<typeof resourcesResponse>): readonly Machine[] {
  return response.data
    .filter(({ template }) => !template)
    .map(({ node, type, vmid, name, status, tags, pool }) => ({
      cluster,
      node,
      type,
      vmid,
      name,
      status,
      tags: parseTags(tags),
      pool: pool === '' ? undefined : pool,
    }));
}

/** A node has its number in the cluster as vmid. A node without a cluster has number 0, and gets vmid 1. */
function parseNodes(cluster: string, response: z.infer<typeof clusterStatusResponse>): readonly Machine[] {
  return response.data.flatMap(({ type, name, nodeid, online }) => {
    if (type !== 'node' || nodeid === undefined || nodeid >= firstGuestVmid) return [];
    return {
      cluster,
      node: name,
      type: 'node',
      vmid: nodeid || 1,
      name,
      status: online ? 'running' : 'stopped',
      tags: [],
      pool: undefined,
    };
  });
}

/** Proxmox separates tags by semicolons: "lab;linux". */
function parseTags(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(';')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
