import type { ClassDetails } from '../class-types.ts';
import { clockText, unitText } from '../language/formats.ts';
import { t } from '../language/t.ts';
import type { LessonTime } from '../lessons/lesson-times.ts';

/** `now`: milliseconds since the epoch. */
export function lessonNewsText({ title, what, at }: LessonTime, now: number): string {
  if (at <= now) return t(what === 'begin' ? 'lesson.begun' : 'lesson.ended', { title });
  return t(what === 'begin' ? 'lesson.begins' : 'lesson.ends', { title, time: clockText(new Date(at)) });
}

/** What happens to the machines around lessons, for instructors. Empty: nothing. */
export function timetableText({
  startMinutes,
  shutdownMinutes,
}: NonNullable<ClassDetails['timetable']>): string {
  const start =
    startMinutes === undefined
      ? []
      : startMinutes === 0
        ? t('timetable.startAtBegin')
        : t('timetable.startBefore', { minutes: unitText(startMinutes, 'minute') });
  const shutdown =
    shutdownMinutes === undefined
      ? []
      : shutdownMinutes === 0
        ? t('timetable.shutdownAtEnd')
        : t('timetable.shutdownAfter', { minutes: unitText(shutdownMinutes, 'minute') });
  return [start, shutdown].flat().join(' ');
}
