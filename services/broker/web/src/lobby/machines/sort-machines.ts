import type { Machine } from '../../api.ts';

/** Running ones first, then by name as people count ("web-2" before "web-10"), then by number. */
export function sortMachines(machines: readonly Machine[]): Machine[] {
  const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  const off = (machine: Machine) => (machine.status === 'running' ? 0 : 1);
  return [...machines].sort(
    (a, b) =>
      off(a) - off(b) ||
      names.compare(a.name, b.name) ||
      a.vmid - b.vmid ||
      names.compare(a.cluster, b.cluster),
  );
}

/** Every word must be found somewhere in the machine's name, number, tags or pool. */
export function matchesMachine(machine: Machine, search: string): boolean {
  const hay = [machine.name, String(machine.vmid), machine.pool ?? '', ...machine.tags]
    .join('\n')
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

export function machineKey(machine: Machine): string {
  return `${machine.cluster}/${machine.vmid}`;
}

/** Machines whose status is another one than a moment ago. New and vanished ones are no change of status. */
export function statusChanges(before: readonly Machine[], after: readonly Machine[]): Machine[] {
  const old = new Map(before.map((machine) => [machineKey(machine), machine.status]));
  return after.filter((machine) => {
    const status = old.get(machineKey(machine));
    return status !== undefined && status !== machine.status;
  });
}
