import type { Target } from '../access/subject.ts';
import type { MachineDirectory } from './directory.ts';

/**
 * Finds the machine that a record names. If Proxmox does not list it, the record describes it, without pool and tags:
 * then fewer rules match, and no wrong one.
 */
export async function createTargetFinder(
  directory: Pick<MachineDirectory, 'list'>,
): Promise<(known: Omit<Target, 'pool' | 'tags'>) => Target> {
  const { machines } = await directory.list().catch(() => ({ machines: [] }));
  const listed = new Map<string, Target>(
    machines.map((machine) => [`${machine.cluster}/${machine.vmid}`, machine]),
  );
  return ({ cluster, vmid, node, type, name }) =>
    listed.get(`${cluster}/${vmid}`) ?? { cluster, vmid, node, type, name, pool: undefined, tags: [] };
}
