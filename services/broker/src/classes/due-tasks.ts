import type { TimetableTask } from '@porthole/shared/class/timetable-works';
import type { CompiledClass } from '../access/compile.ts';
import type { LessonTimes } from './lesson-times.ts';

const minuteMs = 60_000;
/** Nothing is shut down this long before a lesson, also in classes that prepare none. */
const quietMs = 10 * minuteMs;

/** What the timetable of a class wants at a time. */
export interface ClassDue {
  readonly compiled: CompiledClass;
  readonly tasks: readonly TimetableTask[];
  /** There is a lesson, or one is about to begin: its machines must not be shut down, whichever class they also belong to. */
  readonly isBusy: boolean;
}

/**
 * Work is due as long as it is of use, so that what was missed is made up for: machines are started until the lesson
 * ends, and shut down until the next lesson is prepared, within a day.
 */
export function findDueTasks(compiled: CompiledClass, times: LessonTimes, now: number): ClassDue {
  const { name: className, timetable } = compiled;
  const { startMinutes, shutdownMinutes } = timetable;
  const leadMs = (startMinutes ?? 0) * minuteMs;
  const { next } = times;
  const isBusy = times.now !== undefined || (next !== undefined && next - now <= Math.max(leadMs, quietMs));
  const tasks: TimetableTask[] = [];
  if (startMinutes !== undefined) {
    const from = times.now?.from;
    if (from !== undefined) tasks.push({ className, action: 'start', lesson: from });
    if (next !== undefined && next - now <= leadMs) tasks.push({ className, action: 'start', lesson: next });
  }
  const { ended } = times;
  if (shutdownMinutes !== undefined && ended !== undefined && !isBusy)
    if (now - ended >= shutdownMinutes * minuteMs)
      tasks.push({ className, action: 'shutdown', lesson: ended });
  return { compiled, tasks, isBusy };
}
