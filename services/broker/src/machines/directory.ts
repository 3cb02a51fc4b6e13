import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { displayNameOf, type Machine } from './machine.ts';
import type { MachineList, MachineListing } from './machine-list.ts';

export interface DirectoryListing extends MachineListing {
  /** Age of the oldest stale part, in seconds. Undefined if no part is stale. */
  readonly staleSeconds: number | undefined;
  /** Whether the machines of a cluster are missing, because it never answered or its list is too old. */
  readonly incomplete: boolean;
}

/** The machines of all clusters. */
export interface MachineDirectory {
  /** Lists machines sorted by name. If a cluster is unavailable, its last list is shown, or its machines are missing. */
  list(): Promise<DirectoryListing>;
  /** Rejects with `machine_not_found`, or with the error of the cluster. */
  find(cluster: string, vmid: number): Promise<Machine>;
}

export function createMachineDirectory(clusters: ReadonlyMap<string, MachineList>): MachineDirectory {
  const sortOnce = createSortCache();
  return {
    async list() {
      const lists = [...clusters.values()];
      const results = await Promise.allSettled(lists.map((list) => list.latest()));
      const listings = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const failed = results.find((result) => result.status === 'rejected');
      if (listings.length === 0 && failed) throw asPortholeError(failed.reason);
      const staleAges = results.flatMap((result, index) =>
        result.status === 'fulfilled' && result.value.stale ? [lists[index]?.ageSeconds() ?? 0] : [],
      );
      return {
        machines: sortOnce(listings.map(({ machines }) => machines)),
        stale: failed !== undefined || staleAges.length > 0,
        staleSeconds: staleAges.length > 0 ? Math.floor(Math.max(...staleAges)) : undefined,
        incomplete: failed !== undefined,
      };
    },
    async find(cluster, vmid) {
      const machines = await clusters.get(cluster)?.fresh();
      const machine = machines?.find((candidate) => candidate.vmid === vmid);
      if (!machine) throw new PortholeError('machine_not_found', { detail: `${cluster}/${vmid}` });
      return machine;
    },
  };
}

/** Sorts again only if a list has changed: many users request the same lists. */
function createSortCache(): (lists: readonly (readonly Machine[])[]) => readonly Machine[] {
  let last: { lists: readonly (readonly Machine[])[]; sorted: readonly Machine[] } | undefined;
  return (lists) => {
    const isSame = last?.lists.length === lists.length && lists.every((list, i) => list === last?.lists[i]);
    if (last && isSame) return last.sorted;
    last = { lists, sorted: lists.flat().sort(byName) };
    return last.sorted;
  };
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function byName(a: Machine, b: Machine): number {
  return (
    collator.compare(displayNameOf(a), displayNameOf(b)) ||
    collator.compare(a.cluster, b.cluster) ||
    a.vmid - b.vmid
  );
}
