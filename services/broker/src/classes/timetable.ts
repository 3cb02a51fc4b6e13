import type { Audit } from '@porthole/shared/audit/audit';
import { isOver, type TimetableTask, type TimetableWorks } from '@porthole/shared/class/timetable-works';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, type Clock } from '@porthole/shared/time/clock';
import type { CompiledClass } from '../access/compile.ts';
import type { Access } from '../access/decide.ts';
import type { DirectoryListing, MachineDirectory } from '../machines/directory.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { ClassStarter, MachineWork } from './class-starter.ts';
import { findDueTasks, type ClassDue } from './due-tasks.ts';
import { createLessonTimesCache } from './lesson-times.ts';

const tickMs = 10_000;

export interface TimetableDeps {
  readonly access: () => Pick<Access, 'classes'>;
  readonly directory: Pick<MachineDirectory, 'list' | 'find'>;
  readonly works: TimetableWorks;
  readonly starter: Pick<ClassStarter, 'begin'>;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release' | 'count'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly metrics: Pick<BrokerMetrics, 'timetableAction' | 'observeTimetableLeader'>;
  readonly audit: Audit;
  /** Tells brokers apart. */
  readonly brokerId: string;
}

/**
 * Starts the machines of classes before their lessons, and shuts them down afterwards. One broker leads by a lease in
 * the store, which saves work; that each machine is started once is the claim's doing. Nothing is done while the store
 * or Proxmox is unavailable, and made up for later.
 */
export function createTimetable(deps: TimetableDeps): LifecycleComponent {
  const { leases, clock, log, brokerId } = deps;
  const lessonTimes = createLessonTimesCache();
  /** Tasks of which nothing is left, by class, until the rules change. */
  const finished = new WeakMap<CompiledClass, Set<string>>();
  let leaderUntil = -Infinity;
  let running: Promise<void> | undefined;
  let cancel = () => {};
  let isFailing = false;

  const isLeader = () => clock.now() < leaderUntil;
  deps.metrics.observeTimetableLeader(isLeader);

  function findDue(): readonly ClassDue[] {
    const now = clock.now();
    return deps
      .access()
      .classes.flatMap((compiled) =>
        compiled.isLesson ? findDueTasks(compiled, lessonTimes(compiled.isLesson, now), now) : [],
      );
  }

  async function round(): Promise<void> {
    const before = clock.now();
    const leads = await leases.tryAcquire(leaseNames.timetable, brokerId, 1, lifetimes.timetableLeader);
    leaderUntil = leads ? before + lifetimes.timetableLeader : -Infinity;
    if (!leads) return;
    const open = findDue().flatMap(({ compiled, tasks }) =>
      tasks.flatMap((task) => (finished.get(compiled)?.has(keyOf(task)) ? [] : { compiled, task })),
    );
    if (open.length === 0) return;
    const listing = await deps.directory.list();
    // One after the other: each begins work that goes on by itself.
    // oxlint-disable-next-line no-await-in-loop
    for (const { compiled, task } of open) await beginTask(compiled, task, listing);
  }

  async function beginTask(
    compiled: CompiledClass,
    task: TimetableTask,
    listing: DirectoryListing,
  ): Promise<void> {
    const { works } = deps;
    const machines = listing.machines.filter(
      (machine) => machine.type !== 'node' && compiled.hasMachine(machine),
    );
    const work = await works.read(task);
    const open = machines.filter((machine) => !isOver(work?.machines[idOf(machine)]));
    const asWanted = open.filter((machine) => isAsWanted(task, machine));
    // An old list does not say what is the case now.
    const isCurrent = !listing.stale && !listing.incomplete;
    if (isCurrent && asWanted.length > 0) await works.settle(task, asWanted.map(idOf));
    const left = open.filter((machine) => !asWanted.includes(machine));
    if (left.length === 0 && isCurrent && machines.length > 0) finish(compiled, task);
    const claimed = await Promise.all(
      left.map(
        async (machine) =>
          work?.machines[idOf(machine)] !== undefined && (await works.isClaimed(task, idOf(machine))),
      ),
    );
    const dueMachines = left.filter((_machine, index) => !claimed[index]);
    if (dueMachines.length > 0) await deps.starter.begin(compiled.name, dueMachines, createWork(task));
  }

  function finish(compiled: CompiledClass, task: TimetableTask): void {
    const tasks = finished.get(compiled) ?? new Set();
    finished.set(compiled, tasks.add(keyOf(task)));
  }

  function createWork(task: TimetableTask): MachineWork {
    const { audit, metrics, works } = deps;
    const facts = (machine: Machine) => ({
      class: task.className,
      lesson: new Date(task.lesson).toISOString(),
      machine: {
        cluster: machine.cluster,
        vmid: machine.vmid,
        name: displayNameOf(machine),
        node: machine.node,
        type: machine.type,
      },
      action: task.action,
    });
    return {
      action: task.action,
      mayBegin: (machine) => mayBegin(task, machine),
      onStarted(machine, upid) {
        metrics.timetableAction(task.action, 'ok');
        audit({ event: 'timetable_power', ...facts(machine), task: upid });
      },
      onFailed(machine, { code }) {
        metrics.timetableAction(task.action, code);
        audit({ event: 'timetable_power_failed', ...facts(machine), code });
      },
      onDone: (machine) => works.settle(task, [idOf(machine)]).catch(() => {}),
    };
  }

  /** Right before the machine is started or shut down, because the work for a class takes minutes. */
  async function mayBegin(task: TimetableTask, listed: Machine): Promise<boolean> {
    if (!isLeader()) return false;
    const due = findDue();
    const isDue = due.some(({ tasks }) => tasks.some((each) => keyOf(each) === keyOf(task)));
    // Another class can have a lesson on the same machine.
    const isNeeded = due.some(({ compiled, isBusy }) => isBusy && compiled.hasMachine(listed));
    if (!isDue || (task.action === 'shutdown' && isNeeded)) return false;
    const machine = await deps.directory.find(listed.cluster, listed.vmid);
    if (isAsWanted(task, machine)) return false;
    if (task.action === 'shutdown') {
      const consoles = await leases.count(leaseNames.machine(machine.cluster, machine.vmid));
      if (consoles > 0) return false;
    }
    return deps.works.claim(task, idOf(machine));
  }

  /** One round at a time. */
  function tick(): void {
    running ??= round()
      .then(() => (isFailing = false))
      .catch((err: unknown) => {
        if (!isFailing) log.warn({ err }, 'the timetable cannot go on');
        isFailing = true;
      })
      .then(() => (running = undefined));
  }

  return {
    name: 'timetable',
    async start() {
      cancel = every(clock, tickMs, tick);
      tick();
    },
    async stop() {
      cancel();
      await running;
      if (isLeader()) await leases.release(leaseNames.timetable, brokerId).catch(() => {});
      leaderUntil = -Infinity;
    },
  };
}

const keyOf = ({ className, action, lesson }: TimetableTask) => `${action}/${lesson}/${className}`;
const idOf = ({ cluster, vmid }: Machine) => `${cluster}/${vmid}`;
const isAsWanted = ({ action }: TimetableTask, { status }: Machine) =>
  (status === 'running') === (action === 'start');
