import type { CompiledClass } from '../access/compile.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { Machine } from '../machines/machine.ts';

const noMachines: readonly Machine[] = [];

/** The machines of each class; none while Proxmox does not list any. Pages poll, so classes are matched again only if the list or the rules have changed. */
export type ClassMachines = (compiled: CompiledClass) => readonly Machine[];

export function createClassMachines(directory: Pick<MachineDirectory, 'list'>): () => Promise<ClassMachines> {
  let list: readonly Machine[] = [];
  let known = new WeakMap<CompiledClass, readonly Machine[]>();
  return async () => {
    const { machines } = await directory.list().catch(() => ({ machines: noMachines }));
    if (machines !== list) {
      list = machines;
      known = new WeakMap();
    }
    const cache = known;
    return (compiled) => {
      const found = cache.get(compiled) ?? machines.filter((machine) => compiled.hasMachine(machine));
      cache.set(compiled, found);
      return found;
    };
  };
}
