import { createClassStates } from '@porthole/shared/class/class-states';
import { createTimetableWorks } from '@porthole/shared/class/timetable-works';
import { createClassStarts } from '@porthole/shared/class/starts';
import { randomId } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import type { Store } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { MachineDirectory } from '../machines/directory.ts';
import type { ClassRouteDeps } from './act-on-class.ts';
import type { WallRouteDeps } from './open-wall.ts';
import { createClassMachines } from './class-machines.ts';
import { createClassSnapshots } from './class-snapshots.ts';
import { createClassStarter } from './class-starter.ts';
import { createTimetable, type TimetableDeps } from './timetable.ts';

/** Composes what the routes of classes need. The caller runs the components. */
export function createClassRoutes(
  deps: Pick<
    ClassRouteDeps,
    'requireLogin' | 'access' | 'live' | 'rateLimits' | 'random' | 'audit' | 'metrics' | 'showOperatorName'
  > &
    Pick<TimetableDeps, 'metrics'> & {
      readonly config: WallRouteDeps['config'];
      readonly store: Pick<Store, 'records' | 'leases' | 'signals'>;
      readonly keys: SealKeys;
      readonly clock: Clock;
      readonly log: Log;
      readonly directory: Pick<MachineDirectory, 'list' | 'find'>;
      readonly clients: ReadonlyMap<string, Pick<ProxmoxClient, 'get' | 'post'>>;
    },
): { readonly routes: ClassRouteDeps & WallRouteDeps; readonly components: readonly LifecycleComponent[] } {
  const { store, keys, clock, random, log } = deps;
  const { records, leases } = store;
  const signals = createConsoleSignals({ bus: store.signals, keys, random, clock });
  const states = createClassStates({ records, leases, signals, keys, random });
  const starts = createClassStarts({ records, keys, random });
  const brokerId = randomId(random, 12);
  const starter = createClassStarter({ starts, leases, clients: deps.clients, clock, log, brokerId });
  const works = createTimetableWorks({ records, leases, keys, random });
  const timetable = createTimetable({ ...deps, leases, works, starter, brokerId });
  return {
    routes: {
      ...deps,
      states,
      directory: deps.directory,
      snapshots: createClassSnapshots({ states, starts, clock }),
      classMachines: createClassMachines(deps.directory),
      starter,
    },
    components: [starter.component, timetable],
  };
}
