import { PortholeError } from '@porthole/shared/errors';
import type { Right } from '@porthole/shared/config/access-schema';
import type { CompiledClass } from '../access/compile.ts';
import type { Access } from '../access/decide.ts';
import type { User } from '../identity/user.ts';
import type { Machine } from '../machines/machine.ts';
import type { ClassActionName } from './class-actions.ts';

/** A class, as one user sees it. */
export interface VisibleClass {
  readonly compiled: CompiledClass;
  readonly role: 'instructor' | 'member';
  /** Instructors: all machines of the class. Members: those that they may open. */
  readonly machines: readonly Machine[];
  readonly may: readonly ClassActionName[];
}

/** Rights that an action needs on every machine of the class. */
const neededRights = {
  pause: ['watch', 'control'],
  resume: ['watch', 'control'],
  message: ['watch'],
  lower: ['watch'],
  end: ['watch', 'end'],
  cancel_end: ['watch', 'end'],
  show: ['watch'],
  stop_showing: ['watch'],
} as const satisfies Partial<Record<ClassActionName, readonly Right[]>>;

/**
 * What a user is in a class. Instructors are those that the class names, and users with the right `watch` on all of its
 * machines who are no members: a class whose members may watch each other has no further instructors by that. Undefined
 * if the user must not know that the class exists.
 */
export function seeClass(
  access: Pick<Access, 'decide'>,
  user: User,
  compiled: CompiledClass,
  classMachines: readonly Machine[],
): VisibleClass | undefined {
  if (!compiled.isInstructed) return undefined;
  const isInstructor = compiled.hasInstructor(user);
  if (!isInstructor && compiled.hasMember(user)) {
    const machines = classMachines.filter((machine) => compiled.isMachineOf(user, machine));
    return { compiled, role: 'member', machines, may: [] };
  }
  const allowed = classMachines.map((machine) => access.decide(user, machine).allow);
  const mayEverywhere = (right: Right) =>
    allowed.length > 0 && allowed.every((allow) => allow.includes(right));
  if (!isInstructor && !mayEverywhere('watch')) return undefined;
  const everywhere = Object.entries(neededRights) as [keyof typeof neededRights, readonly Right[]][];
  // Their rule gives them these rights on all machines, also while Proxmox does not list the machines.
  const isUnlimited = isInstructor && !user.permissionBoundary;
  return {
    compiled,
    role: 'instructor',
    machines: classMachines,
    may: [
      ...everywhere.flatMap(([action, rights]) => (isUnlimited || rights.every(mayEverywhere) ? action : [])),
      ...(allowed.some((allow) => allow.includes('power')) ? (['start'] as const) : []),
    ],
  };
}

/** Throws `not_found` if the class is not visible, and `not_allowed` if the user may not do this there. */
export function requireAction(visible: VisibleClass | undefined, action: ClassActionName): VisibleClass {
  if (!visible) throw new PortholeError('not_found', { detail: 'no such class for this user' });
  if (!visible.may.includes(action))
    throw new PortholeError('not_allowed', { detail: `${action} in a class` });
  return visible;
}
