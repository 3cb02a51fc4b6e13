import type { z } from 'zod';
import type { MachineType } from '@porthole/shared/grant/claims';
import type { clusterStatusResponse, resourcesResponse } from '@porthole/shared/proxmox/responses';

/** A virtual machine or container as the cluster lists it, or one of its nodes. */
export interface Machine {
  readonly cluster: string;
  readonly node: string;
  readonly type: MachineType;
  readonly vmid: number;
  /** Undefined while its node is away: Proxmox then knows only that it exists. */
  readonly name: string | undefined;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool: string | undefined;
}

/** Every machine in Proxmox's answer, without the templates: those can't be started, so they have no console. */
export function machinesIn(cluster: string, answer: z.infer<typeof resourcesResponse>): readonly Machine[] {
  return answer.data
    .filter(({ template }) => !template)
    .map(({ node, type, vmid, name, status, tags, pool }) => ({
      cluster,
      node,
      type,
      vmid,
      name,
      status,
      tags: tagsIn(tags),
      pool: pool === '' ? undefined : pool,
    }));
}

/**
 * The nodes themselves, for their shells, under their numbers in the cluster. One that is in none is number 0, which
 * would be no number in a path.
 */
export function nodesIn(cluster: string, answer: z.infer<typeof clusterStatusResponse>): readonly Machine[] {
  return answer.data.flatMap(({ type, name, nodeid, online }) => {
    if (type !== 'node' || nodeid === undefined || nodeid >= firstVmid) return [];
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

/** Guests are numbered from here on (pve-common JSONSchema.pm, pve-vmid). */
const firstVmid = 100;

/** Proxmox writes tags as one text, "lab;linux". */
function tagsIn(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(';')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

/** What a person reads where a machine has no name. */
export function displayNameOf(machine: Pick<Machine, 'name' | 'type' | 'vmid'>): string {
  return machine.name ?? `${machine.type === 'lxc' ? 'CT' : 'VM'} ${machine.vmid}`;
}
