import type { IsOpenAt } from '../access/time-windows.ts';

/** Lessons of a class around now, in milliseconds since the epoch. */
export interface Lessons {
  /** The current lesson. `until` is missing if it does not end within the next days. */
  readonly now?: { readonly until?: number };
  readonly next?: { readonly from: number; readonly until?: number };
}

const minuteMs = 60_000;
/** Time windows begin and end on minutes. Shorter lessons than this can be missed. */
const stepMs = 5 * minuteMs;
const horizonMs = 8 * 24 * 60 * minuteMs;

/** The current and the next lesson within the next eight days. */
export function findLessons(isLesson: IsOpenAt, now: number): Lessons {
  const end = now + horizonMs;
  const isNow = isLesson(now);
  const until = isNow ? changeAfter(isLesson, now, end) : undefined;
  const from = isNow ? until && changeAfter(isLesson, until, end) : changeAfter(isLesson, now, end);
  const nextUntil = from && changeAfter(isLesson, from, end);
  return {
    ...(isNow ? { now: until === undefined ? {} : { until } } : {}),
    ...(from === undefined ? {} : { next: nextUntil === undefined ? { from } : { from, until: nextUntil } }),
  };
}

/** The first minute at which it is different than at `start`. */
function changeAfter(isLesson: IsOpenAt, start: number, end: number): number | undefined {
  const before = isLesson(start);
  for (let at = start; at < end; at += stepMs) {
    if (isLesson(at + stepMs) === before) continue;
    let minute = (Math.floor(at / minuteMs) + 1) * minuteMs;
    while (isLesson(minute) === before) minute += minuteMs;
    return minute;
  }
  return undefined;
}

/** Remembers the lessons of a class until the next of their times, because pages ask every few seconds. */
export function createLessonCache(): (isLesson: IsOpenAt, now: number) => Lessons {
  const known = new WeakMap<
    IsOpenAt,
    { readonly lessons: Lessons; readonly from: number; readonly until: number }
  >();
  return (isLesson, now) => {
    const cached = known.get(isLesson);
    if (cached && now >= cached.from && now < cached.until) return cached.lessons;
    const lessons = findLessons(isLesson, now);
    const until = Math.min(
      now + 60 * minuteMs,
      lessons.now?.until ?? Infinity,
      lessons.next?.from ?? Infinity,
    );
    known.set(isLesson, { lessons, from: now, until });
    return lessons;
  };
}
