import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import type { Access } from '../access/decide.ts';
import type { Target } from '../access/subject.ts';
import type { User } from '../identity/user.ts';
import { createTargetFinder } from '../machines/find-target.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { displayNameOf } from '../machines/machine.ts';
import type { StoredRecording } from './stored-recording.ts';

/** What a user may do with recordings. */
export interface RecordingPermissions {
  /**
   * With the right `recordings` on the machine, or as an instructor of the class for which the console was opened, if
   * the class says so. A recording without readable facts needs the right on all machines.
   */
  maySee(recording: Pick<StoredRecording, 'facts'>): boolean;
  /** Whether the user may hold and delete recordings: needs the right `recordings` on all machines. */
  readonly mayManage: boolean;
}

/** Undefined if the user may see no recordings at all. */
export async function recordingPermissionsFor(
  deps: {
    readonly access: () => Pick<Access, 'decide' | 'classes' | 'seesRecordings' | 'globalRights'>;
    readonly directory: Pick<MachineDirectory, 'list'>;
  },
  user: User,
): Promise<RecordingPermissions | undefined> {
  const access = deps.access();
  if (!access.seesRecordings(user)) return undefined;
  const findTarget = await createTargetFinder(deps.directory);
  const mayManage = access.globalRights(user).has('recordings');
  const classes = new Set(
    access.classes
      .filter((one) => one.instructorsSeeRecordings && one.hasInstructor(user))
      .map(({ name }) => name),
  );
  /** A number that another machine has by now must not open the recordings of the one before. */
  function targetOf(facts: PartFacts): Target {
    const recorded = recordedMachine(facts);
    const listed = findTarget(recorded);
    return recorded.name === undefined || recorded.name === displayNameOf(listed) ? listed : recorded;
  }
  const isWithinBoundary = (target: Target) => user.permissionBoundary?.(target).has('recordings') !== false;
  return {
    mayManage,
    maySee({ facts }) {
      if (mayManage) return true;
      if (!facts) return false;
      const target = targetOf(facts);
      if (access.decide(user, target).allow.includes('recordings')) return true;
      return facts.class !== undefined && classes.has(facts.class) && isWithinBoundary(target);
    },
  };
}

function recordedMachine({ machine: { cluster, node, vmid, name, type } }: PartFacts): Target {
  return { cluster, node, vmid: vmid ?? 0, name, type, pool: undefined, tags: [] };
}
