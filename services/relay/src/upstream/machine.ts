import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { clusterStatusResponse, resourcesResponse, statusResponse } from '@porthole/shared/proxmox/responses';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { ProxmoxHost } from '@porthole/shared/proxmox/host';
import type { NodeDirectory } from '@porthole/shared/proxmox/node-directory';

/** A cluster, as the relay uses it. */
export interface RelayCluster {
  readonly name: string;
  readonly opensPerNode: number;
  readonly client: ProxmoxClient;
  readonly nodes: NodeDirectory;
}

/** A machine and the node that it runs on now. */
export interface LocatedMachine {
  readonly cluster: RelayCluster;
  readonly node: string;
  readonly host: ProxmoxHost;
  /** Path below /api2/json, for example /nodes/pve1/qemu/100, or /nodes/pve1 for a node's shell. */
  readonly path: string;
}

export type MachineId = Pick<GrantClaims, 'node' | 'type' | 'vmid'>;

/**
 * Finds the running machine, at the node of the grant or at the one it has moved to since. Rejects with
 * `machine_stopped` or `machine_not_found`. Without this check, a stopped machine has no distinct error: Proxmox
 * completes the upgrade, then closes the connection without a byte.
 */
export async function locateRunning(
  cluster: RelayCluster,
  id: MachineId,
  signal: AbortSignal,
): Promise<LocatedMachine> {
  const machine = await locate(cluster, id, signal);
  if (machine.status !== 'running') throw notRunning(machine.status);
  return machine;
}

export function notRunning(status: string): PortholeError {
  return new PortholeError('machine_stopped', { detail: `the machine is ${status}` });
}

export interface MachineState extends LocatedMachine {
  readonly status: string;
  /**
   * False if a virtual machine runs, but its QEMU does not answer. Proxmox reports the version of QEMU only if QEMU says
   * so within two seconds (qemu-server QemuServer.pm, vmstatus).
   */
  readonly monitorAnswers: boolean;
}

/** Finds the machine, whatever its status. */
export async function locate(
  cluster: RelayCluster,
  id: MachineId,
  signal: AbortSignal,
): Promise<MachineState> {
  if (id.type === 'node') return locateNode(cluster, id.node, signal);
  try {
    return await statusAt(id.node);
  } catch (error) {
    if (!(error instanceof PortholeError && error.code === 'machine_not_found')) throw error;
    const { data } = await cluster.client.get({
      path: '/cluster/resources?type=vm',
      schema: resourcesResponse,
      signal,
    });
    const found = data.find(({ vmid, type }) => vmid === id.vmid && type === id.type);
    if (!found || found.node === id.node) throw error;
    return statusAt(found.node);
  }

  async function statusAt(node: string): Promise<MachineState> {
    const host = await cluster.nodes.hostOf(node);
    const path = `/nodes/${encodeURIComponent(node)}/${id.type}/${id.vmid}`;
    const { data } = await cluster.client.get({
      path: `${path}/status/current`,
      schema: statusResponse,
      host,
      signal,
    });
    const monitorAnswers = id.type !== 'qemu' || data['running-qemu'] !== undefined;
    return { cluster, node, host, path, status: data.status, monitorAnswers };
  }
}

/** A node does not move, and the rest of the cluster knows its status. */
async function locateNode(cluster: RelayCluster, node: string, signal: AbortSignal): Promise<MachineState> {
  const { data } = await cluster.client.get({
    path: '/cluster/status',
    schema: clusterStatusResponse,
    signal,
  });
  const found = data.find(({ type, name }) => type === 'node' && name === node);
  if (!found) throw new PortholeError('machine_not_found', { detail: `no node ${node}` });
  const status = found.online ? 'running' : 'stopped';
  const path = `/nodes/${encodeURIComponent(node)}`;
  // A node that is offline has no address to look up.
  const host = found.online ? await cluster.nodes.hostOf(node) : cluster.client.entryPoint();
  return { cluster, node, host, path, status, monitorAnswers: true };
}
