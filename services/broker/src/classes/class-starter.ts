import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { ClassRecord } from '@porthole/shared/class/class-record';
import type { ClassStart } from '@porthole/shared/class/starts';
import { asPortholeError } from '@porthole/shared/errors';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, sleep, type Clock } from '@porthole/shared/time/clock';
import type { Machine } from '../machines/machine.ts';
import { readTask, startPowerTask, toPowerError, type PowerAction } from '../power/proxmox-power.ts';

/** Machines that are started at the same time at one node, over all classes of this broker. */
const startsPerNode = 2;
const pollMs = 1000;
/** How long a start may take until the next machine of the node is started. Proxmox goes on with the first one. */
const maxStartMs = 90_000;

/** What is done with each machine, and how it went. */
export interface MachineWork {
  readonly action: Extract<PowerAction, 'start' | 'shutdown'>;
  /** Called right before each machine; false or a rejection leaves it out. Default: all machines. */
  mayBegin?(machine: Machine): Promise<boolean>;
  /** Proxmox has begun: `task` is the UPID. Or the machine could not be started or shut down, for this reason. */
  onStarted(machine: Machine, task: string): void;
  onFailed(machine: Machine, error: ReturnType<typeof asPortholeError>): void;
  /** The machine is as wanted. Must not reject. */
  onDone?(machine: Machine): Promise<void>;
}

/** Starts and shuts down the machines of classes, a few at a time per node. Writes the progress of starts to the store. */
export interface ClassStarter {
  /** Begins, unless any broker is doing it already. Answers whether it has begun. */
  begin(className: string, machines: readonly Machine[], work: MachineWork): Promise<boolean>;
  /** Stops what is going on. What is left is not started. */
  readonly component: LifecycleComponent;
}

interface ClassStarterDeps {
  readonly starts: Pick<ClassRecord<ClassStart>, 'write'>;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release'>;
  readonly clients: ReadonlyMap<string, Pick<ProxmoxClient, 'get' | 'post'>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells brokers apart. */
  readonly brokerId: string;
}

export function createClassStarter(deps: ClassStarterDeps): ClassStarter {
  const { leases, clock, log, brokerId } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  const slots = createNodeSlots(clock, signal);
  /** By class. */
  const jobs = new Map<string, Promise<void>>();

  const acquire = (className: string) =>
    leases.tryAcquire(leaseNames.startClass(className), brokerId, 1, lifetimes.classStartLease);

  async function run(className: string, machines: readonly Machine[], work: MachineWork): Promise<void> {
    const progress = work.action === 'start' ? createProgress(deps, className, machines.length) : noProgress;
    const cancelRenewal = every(clock, lifetimes.classStartLease / 3, () => {
      void acquire(className).catch(() => {});
      void progress.write();
    });
    try {
      await progress.write();
      await eachPerNode(machines, async (machine) => {
        const isStarted = await slots.use(machine, () => workOnMachine(deps, machine, work, signal));
        await progress.count(isStarted ? 'started' : 'failed');
      });
    } finally {
      cancelRenewal();
      await leases.release(leaseNames.startClass(className), brokerId).catch(() => {});
    }
  }

  return {
    async begin(className, machines, work) {
      // The lease does not tell two requests to one broker apart.
      if (jobs.has(className) || !(await acquire(className)) || jobs.has(className)) return false;
      const job = run(className, machines, work)
        .catch((err: unknown) => {
          if (!signal.aborted)
            log.error({ err, class: className }, 'starting or shutting down a class has failed');
        })
        .finally(() => jobs.delete(className));
      jobs.set(className, job);
      return true;
    },
    component: {
      name: 'machine starts',
      async stop() {
        stopping.abort(new Error('the broker stops'));
        await Promise.all(jobs.values());
      },
    },
  };
}

/** Works on one machine and waits until Proxmox has done so. Rejects only when the signal is aborted. */
async function workOnMachine(
  { clients, clock }: ClassStarterDeps,
  machine: Machine,
  work: MachineWork,
  signal: AbortSignal,
): Promise<boolean> {
  const client = clients.get(machine.cluster);
  if (!client) return false;
  try {
    if (work.mayBegin && !(await work.mayBegin(machine))) return true;
  } catch {
    return false;
  }
  try {
    const task = await startPowerTask(client, machine, work.action).catch((thrown: unknown) => {
      throw toPowerError(thrown);
    });
    work.onStarted(machine, task);
    const until = clock.now() + maxStartMs;
    while (clock.now() < until) {
      await sleep(clock, pollMs, signal);
      const result = await readTask(client, task);
      if (result.state === 'failed') throw result.error;
      if (result.state !== 'done') continue;
      await work.onDone?.(machine);
      return true;
    }
    return true;
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const error = asPortholeError(thrown);
    // Another user was faster.
    if (error.code === (work.action === 'start' ? 'machine_running' : 'machine_stopped')) {
      await work.onDone?.(machine);
      return true;
    }
    work.onFailed(machine, error);
    return false;
  }
}

const noProgress = { write: async () => {}, count: async () => {} };

/** Writes how far a start is. Never rejects: the next write says more. */
function createProgress({ starts, clock }: ClassStarterDeps, className: string, total: number) {
  const counts = { started: 0, failed: 0 };
  const write = () =>
    starts
      .write(className, { version: 1, total, ...counts, updatedAt: clock.now() }, lifetimes.classStart)
      .catch(() => {});
  return {
    write,
    count(result: keyof typeof counts): Promise<void> {
      counts[result] += 1;
      return write();
    },
  };
}

/** Does the work for each machine in order, for `startsPerNode` of each node at the same time. */
async function eachPerNode(
  machines: readonly Machine[],
  work: (machine: Machine) => Promise<void>,
): Promise<void> {
  const queues = Map.groupBy(machines, nodeOf);
  await Promise.all(
    [...queues.values()].flatMap((queue) =>
      Array.from({ length: startsPerNode }, async () => {
        for (let machine = queue.shift(); machine; machine = queue.shift()) await work(machine);
      }),
    ),
  );
}

/** Limits the starts of all classes at each node. */
function createNodeSlots(clock: Clock, signal: AbortSignal) {
  const busy = new Map<string, number>();
  const inUse = (node: string) => busy.get(node) ?? 0;
  return {
    async use<T>(machine: Machine, work: () => Promise<T>): Promise<T> {
      const node = nodeOf(machine);
      // Another class is starting machines at this node.
      while (inUse(node) >= startsPerNode) await sleep(clock, pollMs, signal);
      busy.set(node, inUse(node) + 1);
      try {
        return await work();
      } finally {
        busy.set(node, inUse(node) - 1);
      }
    },
  };
}

const nodeOf = ({ cluster, node }: Machine) => `${cluster}/${node}`;
