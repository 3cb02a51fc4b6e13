import type { SessionRecord } from '@porthole/shared/session/records';
import type { Access, Decision, Target } from '../access/decide.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { User } from '../identity/user.ts';

/** What somebody has to say about the consoles of others, and of themselves. */
export interface Overseer {
  /** Their own. */
  isMine(session: SessionRecord): boolean;
  /** Whether they may know of it: it is theirs, or on a machine where they may look on or end. */
  sees(session: SessionRecord): boolean;
  mayEnd(session: SessionRecord): boolean;
  /** Whether they may sign out whose it is: who may end the consoles of all machines. Not themselves, not from here. */
  maySignOut(session: SessionRecord): boolean;
  decide(session: SessionRecord): Decision;
  /** The classes that they teach, with the machines that each has. */
  readonly classes: readonly {
    readonly name: string;
    readonly title: string;
    has(session: SessionRecord): boolean;
  }[];
}

export async function overseerOf(
  deps: { readonly access: () => Access; readonly directory: Pick<MachineDirectory, 'look'> },
  user: User,
): Promise<Overseer> {
  const access = deps.access();
  const targetOf = await targets(deps.directory);
  const decide = (session: SessionRecord) => access.decide(user, targetOf(session));
  const isMine = (session: SessionRecord) => session.user.id === user.id;
  return {
    isMine,
    decide,
    sees(session) {
      if (isMine(session)) return true;
      const { allow } = decide(session);
      return allow.includes('watch') || allow.includes('end');
    },
    maySignOut: (session) => !isMine(session) && access.everywhere(user).has('end'),
    mayEnd: (session) => isMine(session) || decide(session).allow.includes('end'),
    classes: access.classes
      .filter((one) => one.isTaughtBy(user))
      .map(({ name, title, has }) => ({ name, title, has: (session) => has(targetOf(session)) })),
  };
}

/**
 * The machine of a console as rules look at it. One that Proxmox no longer lists, or that can't be asked for, is as the
 * console's record has it, without pool and tags: fewer rules reach it then, and none that shouldn't.
 */
async function targets(
  directory: Pick<MachineDirectory, 'look'>,
): Promise<(session: SessionRecord) => Target> {
  const { machines } = await directory.look().catch(() => ({ machines: [] }));
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
