import type { SessionRecord } from '@porthole/shared/session/records';
import type { Access } from '../access/decide.ts';
import type { Decision } from '../access/decision.ts';
import type { Target } from '../access/subject.ts';
import type { User } from '../identity/user.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { createTargetFinder } from '../machines/find-target.ts';

/** What a user may do with open sessions. */
export interface SessionPermissions {
  isOwn(session: SessionRecord): boolean;
  /** For own sessions, and with the right `watch` or `end` on the machine. */
  maySee(session: SessionRecord): boolean;
  /** For own sessions, and with the right `end` on the machine. */
  mayEnd(session: SessionRecord): boolean;
  /**
   * Whether the user may take control of the machine away from others: needs `watch` and `control` on it. Members of a
   * class never may on its machines, whatever the rules say.
   */
  mayTakeControl(session: SessionRecord): boolean;
  /** Whether the user may sign out the user of a session: needs `end` on all machines. Excludes themselves. */
  maySignOut(session: SessionRecord): boolean;
  decide(session: SessionRecord): Decision;
  /** The classes that the user instructs. */
  readonly classes: readonly {
    readonly name: string;
    readonly title: string;
    includes(session: SessionRecord): boolean;
  }[];
}

export async function permissionsFor(
  deps: { readonly access: () => Access; readonly directory: Pick<MachineDirectory, 'list'> },
  user: User,
): Promise<SessionPermissions> {
  const access = deps.access();
  const findTarget = await createTargetFinder(deps.directory);
  const targetOf = (session: SessionRecord): Target => findTarget({ ...session, name: session.machineName });
  const decide = (session: SessionRecord) => access.decide(user, targetOf(session));
  const isOwn = (session: SessionRecord) => session.user.id === user.id;
  return {
    isOwn,
    decide,
    maySee(session) {
      if (isOwn(session)) return true;
      const { allow } = decide(session);
      return allow.includes('watch') || allow.includes('end');
    },
    mayEnd: (session) => isOwn(session) || decide(session).allow.includes('end'),
    mayTakeControl(session) {
      const { allow } = decide(session);
      const target = targetOf(session);
      return (
        allow.includes('watch') &&
        allow.includes('control') &&
        !access.classes.some(
          (one) =>
            one.isInstructed && one.hasMachine(target) && one.hasMember(user) && !one.hasInstructor(user),
        )
      );
    },
    maySignOut: (session) => !isOwn(session) && access.globalRights(user).has('end'),
    classes: access.classes
      .filter(({ hasInstructor }) => hasInstructor(user))
      .map(({ name, title, hasMachine }) => ({
        name,
        title,
        includes: (session) => hasMachine(targetOf(session)),
      })),
  };
}
