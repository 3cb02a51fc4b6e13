import { every } from '@porthole/shared/time/clock';
import type { Cluster } from './cluster.ts';
import type { Machine } from './machines.ts';
import { idleUsage } from './usage.ts';

/**
 * pvestatd's view of the guests: /cluster/resources has the status of its last round. pmxcfs forgets a status that no
 * round has renewed for five minutes, so the guests of a dead node keep theirs until then, and then have not even a name.
 */
export interface StatusCache {
  of(machine: Machine): GuestStatus;
  refresh(): void;
}

type GuestStatus = ReturnType<typeof statusOf> | typeof unknownStatus;

const unknownStatus = { status: 'unknown' };
const forgottenAfterMs = 5 * 60_000;

export function createStatusCache(cluster: Cluster): StatusCache {
  const { clock, machines, nodes, settings } = cluster;
  const reports = new Map<number, { status: GuestStatus; at: number }>();
  const isLost = (machine: Machine) => nodes.get(machine.node)?.down ?? true;

  const refresh = () => {
    for (const machine of machines.values())
      if (!isLost(machine))
        reports.set(machine.vmid, { status: statusOf(machine, clock.now()), at: clock.now() });
  };

  if (settings.statusRefreshMs > 0) every(clock, settings.statusRefreshMs, refresh);
  return {
    refresh,
    of(machine) {
      if (settings.statusRefreshMs === 0)
        return isLost(machine) ? unknownStatus : statusOf(machine, clock.now());
      const report = reports.get(machine.vmid);
      return report && clock.now() - report.at <= forgottenAfterMs ? report.status : unknownStatus;
    },
  };
}

/** The fields of PVE::API2Tools, extract_vm_stats. */
function statusOf({ running, name, startedAt, template }: Machine, now: number) {
  return {
    status: running ? 'running' : 'stopped',
    name,
    template: template ? 1 : 0,
    uptime: running ? Math.floor((now - startedAt) / 1000) : 0,
    maxcpu: 2,
    ...idleUsage,
  };
}
