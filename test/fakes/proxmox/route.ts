import { ApiError } from './answers.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import type { Machine } from './machines.ts';
import type { ParameterRule, Parameters, Schema } from './parameters.ts';

/** An authenticated request during the checks of an API call. */
export interface ApiCall {
  readonly cluster: Cluster;
  /** The node that received the request, which can differ from the node in the path. */
  readonly receiver: ClusterNode;
  readonly user: string;
  /** From the path, the query and the body together. */
  readonly parameters: Parameters;
}

/** A part of a long list, which Proxmox returns with the total. */
export class Part {
  readonly list: readonly unknown[];
  readonly total: number;
  constructor(list: readonly unknown[], total: number) {
    this.list = list;
    this.total = total;
  }
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Below /api2/json, with `{name}` for variable parts. */
  readonly path: string;
  /** In addition to the variables of the path. */
  readonly schema?: Schema;
  readonly anonymous?: boolean;
  readonly refusesTokens?: boolean;
  readonly permission?: { readonly path: string; readonly privilege: string };
  /** The receiver proxies the call to the node in the path. False for vncproxy and vncwebsocket. */
  readonly proxied?: boolean;
  /** pveproxy passes the call to the pvedaemon of its node, which runs as root, and the response back. */
  readonly byDaemon?: boolean;
  run(call: ApiCall): unknown;
}

const vmidRule: ParameterRule = { type: 'integer', minimum: 100, maximum: 999_999_999 };

/** The variable parts of a path are parameters like any other. */
export function schemaOf(route: Route): Schema {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const fromPath = names.map((name): [string, ParameterRule] => [
    name,
    name === 'vmid' ? vmidRule : { type: 'string' },
  ]);
  return { ...Object.fromEntries(fromPath), ...route.schema };
}

/** The guest that a path names, if its configuration is on the node that the path names. */
export function machineOf({ cluster, parameters }: ApiCall, type: 'qemu' | 'lxc'): Machine {
  const { node = '', vmid = '' } = parameters;
  const machine = findMachine(cluster, { node, vmid, type });
  if (machine) return machine;
  throw missingConfig(node, type, vmid);
}

/** The node that a path names. */
export function nodeOf({
  cluster,
  parameters: { node: name = '' },
}: Pick<ApiCall, 'cluster' | 'parameters'>) {
  const node = cluster.nodes.get(name);
  if (node) return node;
  const reason = `failed to get address info for: ${name}: Name or service not known`;
  throw new ApiError(500, `hostname lookup '${name}' failed - ${reason}`);
}

export function findMachine(
  cluster: Cluster,
  { node, vmid, type }: { node: string; vmid: string; type: 'qemu' | 'lxc' },
): Machine | undefined {
  const machine = cluster.machines.get(Number(vmid));
  return machine?.node === node && machine.type === type ? machine : undefined;
}

export function missingConfig(node: string, type: 'qemu' | 'lxc', vmid: string): ApiError {
  const folder = type === 'qemu' ? 'qemu-server' : 'lxc';
  return new ApiError(500, `Configuration file 'nodes/${node}/${folder}/${vmid}.conf' does not exist`);
}
