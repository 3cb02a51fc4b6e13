import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { MachineList, Listing } from './cluster-list.ts';
import { displayNameOf, type Machine } from './machine.ts';

/** What is known of all clusters together. */
export interface DirectoryListing extends Listing {
  /** Of a stale list: how many seconds ago the cluster that is silent for longest gave the part that is shown. */
  readonly staleSeconds: number | undefined;
  /** True when a cluster shows nothing, because it never answered or its list is too old to be of use. */
  readonly incomplete: boolean;
}

/** All machines of all clusters. */
export interface MachineDirectory {
  /** Sorted by name. A cluster that is away leaves its last list, or nothing, and never hides the others. */
  list(): Promise<DirectoryListing>;
  /** Rejects with `machine_not_found`, or with the reason why the cluster can not be asked. */
  find(cluster: string, vmid: number): Promise<Machine>;
}

const byText = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

export function createMachineDirectory(clusters: ReadonlyMap<string, MachineList>): MachineDirectory {
  let last:
    { readonly parts: readonly (readonly Machine[])[]; readonly sorted: readonly Machine[] } | undefined;

  /** The lists change every few seconds, people look hundreds of times in between: sort once for all of them. */
  function sorted(parts: readonly (readonly Machine[])[]): readonly Machine[] {
    if (last?.parts.length === parts.length && parts.every((part, i) => part === last?.parts[i]))
      return last.sorted;
    last = { parts, sorted: parts.flat().sort(byName) };
    return last.sorted;
  }

  return {
    async list() {
      const lists = [...clusters.values()];
      const answers = await Promise.allSettled(lists.map((list) => list.latest()));
      const listings = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
      const failed = answers.find((answer) => answer.status === 'rejected');
      if (listings.length === 0 && failed) throw asPortholeError(failed.reason);
      const ages = answers.flatMap((answer, index) =>
        answer.status === 'fulfilled' && answer.value.stale ? [lists[index]?.ageSeconds() ?? 0] : [],
      );
      return {
        machines: sorted(listings.map(({ machines }) => machines)),
        stale: failed !== undefined || ages.length > 0,
        staleSeconds: ages.length > 0 ? Math.floor(Math.max(...ages)) : undefined,
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

function byName(a: Machine, b: Machine): number {
  return (
    byText.compare(displayNameOf(a), displayNameOf(b)) ||
    byText.compare(a.cluster, b.cluster) ||
    a.vmid - b.vmid
  );
}
