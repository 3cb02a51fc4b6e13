import { z } from 'zod';
import { randomId } from '../crypto/random.ts';
import { leaseNames, lifetimes, storeKeys } from '../store/keys.ts';
import type { LeaseStore } from '../store/ports.ts';
import { byDigest, type SealedRecordType } from '../store/sealed-records.ts';
import { createClassRecord, type ClassRecordDeps } from './class-record.ts';

/** How often one machine is tried for one lesson. */
const maxAttempts = 3;

/** What has been done with one machine for one lesson. */
const machineWork = z.object({
  attempts: z.number().int().nonnegative(),
  /** Nothing more is done: it is as the timetable wants it, or was. */
  done: z.boolean(),
});
type MachineWork = z.infer<typeof machineWork>;

const timetableWork = z.object({ version: z.literal(1), machines: z.record(z.string(), machineWork) });
export type TimetableWork = z.infer<typeof timetableWork>;

const workRecord = {
  purpose: 'porthole timetable work v1',
  schema: timetableWork,
  locate: byDigest(storeKeys.classRecord),
} satisfies SealedRecordType<string, TimetableWork>;

/** One piece of work of the timetable: the machines of a class before or after one lesson. */
export interface TimetableTask {
  readonly className: string;
  readonly action: 'start' | 'shutdown';
  /** When the lesson begins, or has ended, in milliseconds since the epoch. Tells the lessons of a class apart. */
  readonly lesson: number;
}

/**
 * What brokers have done for each lesson. Each machine is claimed in the store before anything is done with it, so that
 * of any number of brokers one does it, also if several take themselves for the leader. A claim ends by the time of the
 * store, because the clocks of brokers can be wrong.
 */
export interface TimetableWorks {
  read(task: TimetableTask): Promise<TimetableWork | undefined>;
  /** Answers whether the caller, and no other broker, may try the machine now. */
  claim(task: TimetableTask, machine: string): Promise<boolean>;
  /** Whether a broker tries the machine, or has tried it a moment ago. */
  isClaimed(task: TimetableTask, machine: string): Promise<boolean>;
  /** These machines are as wanted. */
  settle(task: TimetableTask, machines: readonly string[]): Promise<void>;
}

export function createTimetableWorks(
  deps: ClassRecordDeps & { readonly leases: Pick<LeaseStore, 'tryAcquire' | 'count'> },
): TimetableWorks {
  const { leases } = deps;
  const records = createClassRecord(deps, 'timetable', workRecord);
  // Names of classes contain no slash.
  const nameOf = ({ className, action, lesson }: TimetableTask) => `${action}/${lesson}/${className}`;
  const leaseOf = (task: TimetableTask, machine: string) => leaseNames.timetableTry(nameOf(task), machine);

  /** Changes what is written about machines. */
  const change = (
    task: TimetableTask,
    machines: readonly string[],
    next: (before: MachineWork) => MachineWork,
  ) =>
    records.change(
      nameOf(task),
      (current) => ({
        version: 1,
        machines: {
          ...current?.machines,
          ...Object.fromEntries(
            machines.map((machine) => [
              machine,
              next(current?.machines[machine] ?? { attempts: 0, done: false }),
            ]),
          ),
        },
      }),
      lifetimes.timetableWork,
    );

  return {
    read: (task) => records.read(nameOf(task)),
    async claim(task, machine) {
      const holder = randomId(deps.random, 12);
      if (!(await leases.tryAcquire(leaseOf(task, machine), holder, 1, lifetimes.timetableTry))) return false;
      let claimed = false;
      // The function runs again if another broker came between, and its last result is what is written.
      await change(task, [machine], (before) => {
        claimed = !isOver(before);
        return claimed ? { ...before, attempts: before.attempts + 1 } : before;
      });
      return claimed;
    },
    isClaimed: async (task, machine) => (await leases.count(leaseOf(task, machine))) > 0,
    settle: (task, machines) => change(task, machines, (before) => ({ ...before, done: true })),
  };
}

/** Whether nothing more is done with a machine for this lesson. */
export function isOver(work: MachineWork | undefined): boolean {
  return work !== undefined && (work.done || work.attempts >= maxAttempts);
}
