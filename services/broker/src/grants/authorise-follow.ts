import type { ClassStates } from '@porthole/shared/class/class-states';
import { showingAt } from '@porthole/shared/class/showings';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access } from '../access/decide.ts';
import { defaultPolicy, type DefaultLimits } from '../access/session-policy.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { isVmid } from '../machines/find-visible-machine.ts';
import type { Machine } from '../machines/machine.ts';
import type { Requester } from './requester.ts';
import type { AuthorisedConsole } from './steps.ts';

export interface FollowedConsole {
  readonly machine: Machine;
  readonly authorised: AuthorisedConsole;
  readonly follows: NonNullable<GrantClaims['follows']>;
}

/**
 * Lets a member see the machine that is shown to one of their classes, as long as it is shown, whatever the access rules
 * say. Rejects with `machine_not_found` otherwise, so that members cannot find out which machines exist.
 */
export async function authoriseFollow(
  deps: {
    readonly access: () => Pick<Access, 'classes'>;
    readonly states: Pick<ClassStates, 'showings' | 'endings'>;
    readonly directory: Pick<MachineDirectory, 'find'>;
    readonly limits: DefaultLimits;
    readonly clock: Pick<Clock, 'now'>;
  },
  { identity, program, hasEmbedToken }: Requester,
  cluster: string,
  vmid: string,
): Promise<FollowedConsole> {
  const { states, clock } = deps;
  const refuse = (detail: string) => new PortholeError('machine_not_found', { detail });
  // Users of a program are not members of classes.
  if (program || hasEmbedToken || !isVmid(vmid)) throw refuse('only members follow a class');
  const { user } = identity;
  const classes = deps.access().classes.filter((each) => each.isInstructed && each.hasMember(user));
  for (const { name } of classes) {
    // Nearly all members are in one class.
    // oxlint-disable-next-line no-await-in-loop
    const [showing, ending] = await Promise.all([states.showings.read(name), states.endings.read(name)]);
    const shown = showingAt({ showing, ending }, clock.now());
    if (shown?.cluster !== cluster || shown.vmid !== Number(vmid)) continue;
    // oxlint-disable-next-line no-await-in-loop
    const machine = await deps.directory.find(cluster, shown.vmid);
    return {
      machine,
      authorised: {
        policy: { ...defaultPolicy(deps.limits), clipboard: 'none' },
        validUntil: shown.until,
        observer: false,
        rules: [`${name} (shown)`],
      },
      follows: { class: name, showing: shown.id },
    };
  }
  throw refuse(`${cluster}/${vmid} is not shown to a class of this user`);
}
