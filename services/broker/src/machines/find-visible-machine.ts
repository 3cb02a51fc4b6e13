import { PortholeError } from '@porthole/shared/errors';
import { machineNumber } from '@porthole/shared/grant/claims';
import type { Decide } from '../access/decide.ts';
import type { Decision } from '../access/decision.ts';
import type { Subject } from '../access/subject.ts';
import type { MachineDirectory } from './directory.ts';
import type { Machine } from './machine.ts';

/** Says whether a text is a number as Proxmox writes it: no `1e3`, no leading zeros. */
export const isVmid = (text: string) => machineNumber.test(text);

export interface VisibleMachine {
  readonly machine: Machine;
  readonly decision: Decision;
}

/**
 * Finds a machine in a list that is at most seconds old, and decides what the subject may do with it. A machine without
 * any right and a missing machine give the same error, so that users cannot find out which machines exist.
 */
export async function findVisibleMachine(
  deps: { readonly directory: Pick<MachineDirectory, 'find'>; readonly decide: Decide },
  subject: Subject,
  cluster: string,
  vmid: string,
): Promise<VisibleMachine> {
  if (!isVmid(vmid)) throw new PortholeError('machine_not_found', { detail: 'not a vmid' });
  const machine = await deps.directory.find(cluster, Number(vmid));
  const decision = deps.decide(subject, machine);
  if (decision.allow.length === 0)
    throw new PortholeError('machine_not_found', {
      detail: `${cluster}/${vmid} exists, but no rule gives a right`,
    });
  return { machine, decision };
}
