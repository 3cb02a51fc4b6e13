import { locale } from '../../language/locale.ts';
import type { Machine } from '../../api.ts';
import { containsWords } from '../contains-words.ts';

/** Running machines first, then by name with numbers in order ("web-2" before "web-10"), then by number. */
export function sortMachines(machines: readonly Machine[]): Machine[] {
  const names = new Intl.Collator(locale(), { numeric: true, sensitivity: 'base' });
  const rank = (machine: Machine) => (machine.status === 'running' ? 0 : 1);
  return [...machines].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      names.compare(a.name, b.name) ||
      a.vmid - b.vmid ||
      names.compare(a.cluster, b.cluster),
  );
}

/** Whether the machine's name, number, tags and pool contain every word of the search. */
export function matchesMachine(machine: Machine, search: string): boolean {
  const { name, vmid, pool = '', tags } = machine;
  return containsWords([name, String(vmid), pool, ...tags], search);
}

export function machineKey(machine: Machine): string {
  return `${machine.cluster}/${machine.vmid}`;
}

/** The machines whose status changed. New and missing machines do not count. */
export function statusChanges(before: readonly Machine[], after: readonly Machine[]): Machine[] {
  const previous = new Map(before.map((machine) => [machineKey(machine), machine.status]));
  return after.filter((machine) => {
    const status = previous.get(machineKey(machine));
    return status !== undefined && status !== machine.status;
  });
}
