import type { Right } from '@porthole/shared/config/access-schema';
import type { ConsoleKind, MachineType } from '@porthole/shared/grant/claims';
import type { Decide } from '../access/decide.ts';
import type { Subject } from '../access/subject.ts';
import type { Listing } from '../machines/cluster-list.ts';
import { displayNameOf } from '../machines/machine.ts';

const opensScreen: ReadonlySet<Right> = new Set(['view', 'control', 'watch']);

/** A machine as its list shows it to somebody who may open it. */
export interface VisibleConsole {
  readonly cluster: string;
  readonly node: string;
  readonly type: MachineType;
  readonly vmid: number;
  readonly name: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool?: string;
  readonly allow: readonly Right[];
  /** What this person may open of it. A virtual machine has a terminal if it has a serial port: the relay looks. */
  readonly kinds: readonly ConsoleKind[];
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
        kinds: kindsOf(allow),
      },
    ];
  });
}

function kindsOf(allow: readonly Right[]): readonly ConsoleKind[] {
  return [
    ...(allow.some((right) => opensScreen.has(right)) ? (['screen'] as const) : []),
    ...(allow.includes('terminal') ? (['terminal'] as const) : []),
  ];
}
