import type { ClassDetails } from '../class-types.ts';
import type { LessonTime } from '../lessons/lesson-times.ts';

/** `now`: milliseconds since the epoch. */
export function lessonNewsText({ title, what, at }: LessonTime, now: number): string {
  if (at <= now) return `${title}: the lesson has ${what === 'begin' ? 'begun' : 'ended'}.`;
  const clock = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return `${title}: the lesson ${what}s at ${clock}.`;
}

/** What happens to the machines around lessons, for instructors. Empty: nothing. */
export function timetableText({
  startMinutes,
  shutdownMinutes,
}: NonNullable<ClassDetails['timetable']>): string {
  const start =
    startMinutes === undefined
      ? []
      : `Machines start ${startMinutes === 0 ? 'when a lesson begins' : `${minutes(startMinutes)} before each lesson`}.`;
  const shutdown =
    shutdownMinutes === undefined
      ? []
      : `Machines without an open console shut down ${shutdownMinutes === 0 ? 'when a lesson ends' : `${minutes(shutdownMinutes)} after it`}.`;
  return [start, shutdown].flat().join(' ');
}

const minutes = (count: number) => (count === 1 ? '1 minute' : `${count} minutes`);
