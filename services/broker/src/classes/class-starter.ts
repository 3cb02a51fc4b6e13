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
import { readTask, startPowerTask, toPowerError } from '../power/proxmox-power.ts';

/** Machines that are started at the same time at one node, over all classes of this broker. */
const startsPerNode = 2;
const pollMs = 1000;
/** How long a start may take until the next machine of the node is started. Proxmox goes on with the first one. */
const maxStartMs = 90_000;

export interface StartReport {
  /** A machine was started: `task` is the UPID. Or it could not be started, for this reason. */
  onStarted(machine: Machine, task: string): void;
  onFailed(machine: Machine, error: ReturnType<typeof asPortholeError>): void;
}

/** Starts the machines of classes, a few at a time per node, and writes the progress to the store. */
export interface ClassStarter {
  /** Begins, unless any broker is doing it already. Answers whether it has begun. */
  start(className: string, machines: readonly Machine[], report: StartReport): Promise<boolean>;
  /** Stops what is going on. What is left is not started. */
  readonly component: LifecycleComponent;
}

export function createClassStarter(deps: {
  readonly starts: Pick<ClassRecord<ClassStart>, 'write'>;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release'>;
  readonly clients: ReadonlyMap<string, Pick<ProxmoxClient, 'get' | 'post'>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells brokers apart. */
  readonly brokerId: string;
}): ClassStarter {
  const { starts, leases, clients, clock, log, brokerId } = deps;
  const stopping = new AbortController();
  const jobs = new Set<Promise<void>>();
  const running = new Set<string>();
  const busy = new Map<string, number>();

  const acquire = (className: string) =>
    leases.tryAcquire(leaseNames.startClass(className), brokerId, 1, lifetimes.classStartLease);

  /** Starts one machine and waits until Proxmox has done so. */
  async function startOne(machine: Machine, report: StartReport): Promise<boolean> {
    const client = clients.get(machine.cluster);
    if (!client) return false;
    try {
      const task = await startPowerTask(client, machine, 'start').catch((thrown: unknown) => {
        throw toPowerError(thrown);
      });
      report.onStarted(machine, task);
      const until = clock.now() + maxStartMs;
      while (clock.now() < until) {
        await sleep(clock, pollMs, stopping.signal);
        const result = await readTask(client, task);
        if (result.state === 'failed') throw result.error;
        if (result.state === 'done') return true;
      }
      return true;
    } catch (thrown) {
      if (stopping.signal.aborted) throw thrown;
      const error = asPortholeError(thrown);
      // Another user was faster.
      if (error.code === 'machine_running') return true;
      report.onFailed(machine, error);
      return false;
    }
  }

  async function run(className: string, machines: readonly Machine[], report: StartReport): Promise<void> {
    let started = 0;
    let failed = 0;
    const writeProgress = () =>
      starts
        .write(
          className,
          { version: 1, total: machines.length, started, failed, updatedAt: clock.now() },
          lifetimes.classStart,
        )
        // The next one says more.
        .catch(() => {});
    const cancelRenewal = every(clock, lifetimes.classStartLease / 3, () => {
      void acquire(className).catch(() => {});
      void writeProgress();
    });
    try {
      await writeProgress();
      const waiting = Map.groupBy(machines, ({ cluster, node }) => `${cluster}/${node}`);
      const startAtNode = async (node: string, queue: Machine[]): Promise<void> => {
        for (let machine = queue.shift(); machine; machine = queue.shift()) {
          // Another class is starting machines at this node.
          while ((busy.get(node) ?? 0) >= startsPerNode) await sleep(clock, pollMs, stopping.signal);
          busy.set(node, (busy.get(node) ?? 0) + 1);
          try {
            if (await startOne(machine, report)) started += 1;
            else failed += 1;
          } finally {
            busy.set(node, (busy.get(node) ?? 1) - 1);
          }
          await writeProgress();
        }
      };
      await Promise.all(
        [...waiting].flatMap(([node, queue]) =>
          Array.from({ length: startsPerNode }, () => startAtNode(node, queue)),
        ),
      );
    } finally {
      cancelRenewal();
      await leases.release(leaseNames.startClass(className), brokerId).catch(() => {});
    }
  }

  return {
    async start(className, machines, report) {
      // The lease does not tell two requests to one broker apart.
      if (running.has(className) || !(await acquire(className)) || running.has(className)) return false;
      running.add(className);
      const job: Promise<void> = run(className, machines, report)
        .catch((err: unknown) => {
          if (!stopping.signal.aborted) log.error({ err, class: className }, 'starting a class has failed');
        })
        .finally(() => {
          running.delete(className);
          jobs.delete(job);
        });
      jobs.add(job);
      return true;
    },
    component: {
      name: 'machine starts',
      async stop() {
        stopping.abort(new Error('the broker stops'));
        await Promise.all(jobs);
      },
    },
  };
}
