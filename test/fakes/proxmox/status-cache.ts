import { every } from '@porthole/shared/time/clock';
import type { Cluster } from './cluster.ts';
import type { Machine } from './machines.ts';

/** pvestatd's view of the guests: /cluster/resources has the status of its last round. */
export interface StatusCache {
  of(machine: Machine): GuestStatus;
  refresh(): void;
}

interface GuestStatus {
  readonly status: string;
  readonly name?: string;
  readonly uptime: number;
  readonly cpu: number;
  readonly maxcpu: number;
  readonly mem: number;
  readonly maxmem: number;
  readonly disk: number;
  readonly maxdisk: number;
}

export function createStatusCache(cluster: Cluster): StatusCache {
  const { clock, machines, nodes, settings } = cluster;
  let snapshots = new Map<number, GuestStatus>();

  const current = (machine: Machine): GuestStatus => {
    const lost = nodes.get(machine.node)?.down ?? true;
    const { running, name, startedAt } = machine;
    return {
      status: lost ? 'unknown' : running ? 'running' : 'stopped',
      name,
      uptime: running && !lost ? Math.floor((clock.now() - startedAt) / 1000) : 0,
      cpu: 0,
      maxcpu: 2,
      mem: 0,
      maxmem: 2 * 1024 ** 3,
      disk: 0,
      maxdisk: 8 * 1024 ** 3,
    };
  };
  const refresh = () => {
    snapshots = new Map([...machines.values()].map((machine) => [machine.vmid, current(machine)]));
  };

  if (settings.statusRefreshMs > 0) every(clock, settings.statusRefreshMs, refresh);
  return {
    refresh,
    of(machine) {
      if (settings.statusRefreshMs === 0) return current(machine);
      const { name: _, ...unseen } = current(machine);
      return snapshots.get(machine.vmid) ?? { ...unseen, status: 'unknown' };
    },
  };
}
