import { sleep, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { clusterStatusResponse, resourcesResponse, statusResponse } from '@porthole/shared/proxmox/responses';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { ProxmoxHost } from '@porthole/shared/proxmox/host';
import type { NodeDirectory } from '@porthole/shared/proxmox/node-directory';

/** One cluster as the relay uses it. */
export interface RelayCluster {
  readonly name: string;
  readonly opensPerNode: number;
  readonly client: ProxmoxClient;
  readonly nodes: NodeDirectory;
}

/** A machine at the place where it runs now. */
export interface LocatedMachine {
  readonly cluster: RelayCluster;
  readonly node: string;
  readonly host: ProxmoxHost;
  /** Path below /api2/json, such as /nodes/pve1/qemu/100, or /nodes/pve1 for its own shell. */
  readonly path: string;
}

type Which = Pick<GrantClaims, 'node' | 'type' | 'vmid'>;

/**
 * Finds the running machine, at the node of the grant or, when it has moved since, at its new one.
 * Rejects with `machine_stopped` or `machine_not_found`: asking first spares people the silence that
 * Proxmox answers for a stopped machine (it upgrades, then closes without a byte).
 */
export async function locateRunning(
  cluster: RelayCluster,
  which: Which,
  signal: AbortSignal,
): Promise<LocatedMachine> {
  const machine = await locate(cluster, which, signal);
  if (machine.status !== 'running')
    throw new PortholeError('machine_stopped', { detail: `it is ${machine.status}` });
  return machine;
}

async function locate(
  cluster: RelayCluster,
  which: Which,
  signal: AbortSignal,
): Promise<LocatedMachine & { status: string }> {
  if (which.type === 'node') return locateNode(cluster, which.node, signal);
  try {
    return await at(which.node);
  } catch (error) {
    if (!(error instanceof PortholeError && error.code === 'machine_not_found')) throw error;
    const { data } = await cluster.client.get({
      path: '/cluster/resources?type=vm',
      schema: resourcesResponse,
      signal,
    });
    const found = data.find(({ vmid, type }) => vmid === which.vmid && type === which.type);
    if (!found || found.node === which.node) throw error;
    return at(found.node);
  }

  async function at(node: string) {
    const host = await cluster.nodes.hostOf(node);
    const path = `/nodes/${encodeURIComponent(node)}/${which.type}/${which.vmid}`;
    const { data } = await cluster.client.get({
      path: `${path}/status/current`,
      schema: statusResponse,
      host,
      signal,
    });
    return { cluster, node, host, path, status: data.status };
  }
}

/** A node does not move, and whether it is there the others know. */
async function locateNode(
  cluster: RelayCluster,
  node: string,
  signal: AbortSignal,
): Promise<LocatedMachine & { status: string }> {
  const { data } = await cluster.client.get({
    path: '/cluster/status',
    schema: clusterStatusResponse,
    signal,
  });
  const found = data.find(({ type, name }) => type === 'node' && name === node);
  if (!found) throw new PortholeError('machine_not_found', { detail: `there is no node ${node}` });
  const status = found.online ? 'running' : 'stopped';
  const path = `/nodes/${encodeURIComponent(node)}`;
  // One that is away has no address to look for.
  const host = found.online ? await cluster.nodes.hostOf(node) : cluster.client.entryPoint();
  return { cluster, node, host, path, status };
}

/** A machine that goes down closes its screen first; a moment later Proxmox knows, too. */
const secondLookMs = 500;

/**
 * Why a console that was open has ended. Proxmox never says: every end is a closed connection without a
 * close frame, so the machine's state is the only witness.
 */
export async function diagnoseEnd(
  cluster: RelayCluster,
  which: Which,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<PortholeError> {
  const look = async () => {
    const machine = await locate(cluster, which, signal);
    if (machine.status === 'stopped') return new PortholeError('machine_ended');
    if (machine.node !== which.node)
      return new PortholeError('machine_not_found', { detail: `it moved to ${machine.node}` });
    return undefined;
  };
  try {
    const found = await look();
    if (found) return found;
    await sleep(clock, secondLookMs, signal);
    const lost = new PortholeError('console_lost', {
      detail: 'Proxmox closed the console of a running machine',
    });
    return (await look()) ?? lost;
  } catch (error) {
    if (error instanceof PortholeError && error.code === 'machine_not_found') return error;
    return new PortholeError('console_lost', { cause: error });
  }
}
