import type { ClassStates } from '@porthole/shared/class/class-states';
import { classLimits } from '@porthole/shared/class/limits';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access } from '../access/decide.ts';
import type { User } from '../identity/user.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { findVisibleMachine } from '../machines/find-visible-machine.ts';
import { displayNameOf } from '../machines/machine.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { ClassAction } from './class-actions.ts';
import type { VisibleClass } from './class-permissions.ts';

export interface ShowMachineDeps {
  readonly states: Pick<ClassStates, 'showings'>;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly access: () => Access;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomBytes;
  readonly live: Pick<LiveSessions, 'list'>;
}

/**
 * Shows a machine to the members of a class. It can be any that the instructor may see, such as their own. Rejects with
 * `machine_not_found`, `not_allowed` or `machine_stopped`.
 */
export async function showMachine(
  deps: ShowMachineDeps,
  {
    user,
    visible: { compiled },
    action: { cluster, vmid, seconds },
  }: {
    readonly user: User;
    readonly visible: VisibleClass;
    readonly action: Extract<ClassAction, { readonly action: 'show' }>;
  },
  by: { readonly by?: string },
): Promise<void> {
  const { decide } = deps.access();
  const finding = { directory: deps.directory, decide };
  const { machine, decision } = await findVisibleMachine(finding, user, cluster, String(vmid));
  if (!decision.policyFor('view') || machine.type === 'node')
    throw new PortholeError('not_allowed', { detail: `show ${cluster}/${vmid}` });
  if (machine.status !== 'running') throw new PortholeError('machine_stopped');
  const now = deps.clock.now();
  const sessions = await deps.live.list();
  const member = sessions.find(
    (each) =>
      each.cluster === cluster &&
      each.vmid === vmid &&
      each.classes?.some(({ name, role }) => name === compiled.name && role === 'member'),
  )?.user;
  const owner = compiled.hasMachine(machine) ? compiled.ownerOf(machine) : undefined;
  const until = now + seconds * 1000;
  await deps.states.showings.write(
    compiled.name,
    {
      version: 1,
      id: randomId(deps.random, 12),
      cluster,
      vmid,
      name: (member?.displayName ?? member?.name ?? owner ?? displayNameOf(machine)).slice(
        0,
        classLimits.name,
      ),
      ...by,
      since: now,
      until,
    },
    until - now,
  );
}
