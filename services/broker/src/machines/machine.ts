import type { MachineType } from '@porthole/shared/grant/claims';

/** A virtual machine, a container, or a node of a cluster. */
export interface Machine {
  readonly cluster: string;
  readonly node: string;
  readonly type: MachineType;
  readonly vmid: number;
  /** Undefined while the node of the machine is offline. */
  readonly name: string | undefined;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool: string | undefined;
}

/** The name that users see. */
export function displayNameOf(machine: Pick<Machine, 'name' | 'type' | 'vmid'>): string {
  return machine.name ?? `${machine.type === 'lxc' ? 'CT' : 'VM'} ${machine.vmid}`;
}
