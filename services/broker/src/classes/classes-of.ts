import { maxClasses, type GrantClaims } from '@porthole/shared/grant/claims';
import type { CompiledClass } from '../access/compile.ts';
import type { Subject, Target } from '../access/subject.ts';

/**
 * The classes to which a console of this user on this machine belongs, whichever rule permits the console and whether or
 * not there is a lesson: a pause is for the members in the room.
 */
export function classesOf(
  classes: readonly CompiledClass[],
  subject: Subject,
  target: Target,
): NonNullable<GrantClaims['classes']> {
  return classes
    .filter(({ isInstructed, hasMachine }) => isInstructed && hasMachine(target))
    .flatMap((one) => {
      if (one.hasInstructor(subject)) return { name: one.name, role: 'instructor' as const };
      return one.isMachineOf(subject, target) ? { name: one.name, role: 'member' as const } : [];
    })
    .slice(0, maxClasses);
}
