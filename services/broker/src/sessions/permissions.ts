import type { SessionRecord } from '@porthole/shared/session/records';
import type { Access } from '../access/decide.ts';
import type { Decision } from '../access/decision.ts';
import type { Target } from '../access/subject.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { User } from '../sign-in/user.ts';

/** What somebody has to say about the consoles of others, and of themselves. */
export interface SessionPermissions {
  /** Their own. */
  isOwn(session: SessionRecord): boolean;
  /** Whether they may know of it: it is theirs, or on a machine where they may look on or end. */
  maySee(session: SessionRecord): boolean;
  mayEnd(session: SessionRecord): boolean;
  /** Whether they may sign out whose it is: who may end the consoles of all machines. Not themselves, not from here. */
  maySignOut(session: SessionRecord): boolean;
  decide(session: SessionRecord): Decision;
  /** The classes that they teach, with the machines that each has. */
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
  const targetOf = await targets(deps.directory);
  const decide = (session: SessionRecord) => access.decide(user, targetOf(session));
  const isMine = (session: SessionRecord) => session.user.id === user.id;
  return {
    isOwn: isMine,
    decide,
    maySee(session) {
      if (isMine(session)) return true;
      const { allow } = decide(session);
      return allow.includes('watch') || allow.includes('end');
    },
    maySignOut: (session) => !isMine(session) && access.globalRights(user).has('end'),
    mayEnd: (session) => isMine(session) || decide(session).allow.includes('end'),
    classes: access.classes
      .filter((one) => one.hasInstructor(user))
      .map(({ name, title, hasMachine }) => ({
        name,
        title,
        includes: (session) => hasMachine(targetOf(session)),
      })),
  };
}

/**
 * The machine of a console as rules look at it. One that Proxmox no longer lists, or that can't be asked for, is as the
 * console's record has it, without pool and tags: fewer rules reach it then, and none that shouldn't.
 */
async function targets(
  directory: Pick<MachineDirectory, 'list'>,
): Promise<(session: SessionRecord) => Target> {
  const { machines } = await directory.list().catch(() => ({ machines: [] }));
  const known = new Map<string, Target>(
    machines.map((machine) => [`${machine.cluster}/${machine.vmid}`, machine]),
  );
  return ({ cluster, vmid, node, type, machineName }) =>
    known.get(`${cluster}/${vmid}`) ?? {
      cluster,
      vmid,
      node,
      type,
      name: machineName,
      pool: undefined,
      tags: [],
    };
}
