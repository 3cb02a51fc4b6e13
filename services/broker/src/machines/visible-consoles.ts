import type { Right } from '@porthole/shared/config/access-schema';
import type { Decide, Subject } from '../access/decide.ts';
import type { Listing } from './cluster-list.ts';
import { displayNameOf } from './machine.ts';

/** A machine as its list shows it to somebody who may open it. */
export interface VisibleConsole {
  readonly cluster: string;
  readonly node: string;
  readonly type: 'qemu' | 'lxc';
  readonly vmid: number;
  readonly name: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool?: string;
  readonly allow: readonly Right[];
}

/** The machines that this person may open, and nothing about any other. */
export function visibleConsoles(
  { machines }: Listing,
  subject: Subject,
  decide: Decide,
): readonly VisibleConsole[] {
  return machines.flatMap((machine) => {
    const { allow } = decide(subject, machine);
    if (allow.length === 0) return [];
    const { cluster, node, type, vmid, status, tags, pool } = machine;
    return [
      {
        cluster,
        node,
        type,
        vmid,
        name: displayNameOf(machine),
        status,
        tags,
        ...(pool === undefined ? {} : { pool }),
        allow,
      },
    ];
  });
}
