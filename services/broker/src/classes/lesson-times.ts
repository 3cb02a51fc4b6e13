import type { IsOpenAt } from '../access/time-windows.ts';

/** The lessons of a class next to a time, in milliseconds since the epoch, as far as they are within a day or some hours. */
export interface LessonTimes {
  /** The current lesson. Undefined: none, or `from` is missing because it began more than a day ago. */
  readonly now?: { readonly from?: number; readonly until?: number };
  /** When the last lesson ended, if there is none now. */
  readonly ended?: number;
  /** When the next lesson begins. */
  readonly next?: number;
}

const minuteMs = 60_000;
/** Time windows begin and end on minutes. Shorter lessons and breaks than this can be missed. */
const stepMs = 5 * minuteMs;
const backMs = 24 * 60 * minuteMs;
const aheadMs = 5 * 60 * minuteMs;
/** How long a result may be used. With `aheadMs`, the next lesson is known at least four hours ahead. */
const cacheMs = 60 * minuteMs;

/** Samples lie on a grid, so that brokers whose clocks differ see the same lessons. */
export function findLessonTimes(isLesson: IsOpenAt, now: number): LessonTimes {
  const isNow = isLesson(now);
  const before = lastChange(isLesson, now);
  const after = nextChange(isLesson, now);
  if (isNow) {
    const next = after === undefined ? undefined : nextChange(isLesson, after);
    return {
      now: {
        ...(before === undefined ? {} : { from: before }),
        ...(after === undefined ? {} : { until: after }),
      },
      ...(next === undefined ? {} : { next }),
    };
  }
  return {
    ...(before === undefined ? {} : { ended: before }),
    ...(after === undefined ? {} : { next: after }),
  };
}

/** The first minute of what is the case at `now`. */
function lastChange(isLesson: IsOpenAt, now: number): number | undefined {
  const isNow = isLesson(now);
  let at = now;
  for (let earlier = Math.floor(now / stepMs) * stepMs; earlier > now - backMs; earlier -= stepMs) {
    if (isLesson(earlier) === isNow) {
      at = earlier;
      continue;
    }
    let minute = (Math.floor(earlier / minuteMs) + 1) * minuteMs;
    while (minute < at && isLesson(minute) !== isNow) minute += minuteMs;
    return minute;
  }
  return undefined;
}

/** The first minute at which it is different than at `now`. */
function nextChange(isLesson: IsOpenAt, now: number): number | undefined {
  const isNow = isLesson(now);
  let at = now;
  for (
    let later = (Math.floor(now / stepMs) + 1) * stepMs;
    later < now + aheadMs;
    at = later, later += stepMs
  ) {
    if (isLesson(later) === isNow) continue;
    let minute = (Math.floor(at / minuteMs) + 1) * minuteMs;
    while (isLesson(minute) === isNow) minute += minuteMs;
    return minute;
  }
  return undefined;
}

/** Remembers the result until a lesson begins or ends, because a class is looked at every few seconds. */
export function createLessonTimesCache(): (isLesson: IsOpenAt, now: number) => LessonTimes {
  const known = new WeakMap<IsOpenAt, { times: LessonTimes; from: number; until: number }>();
  return (isLesson, now) => {
    const cached = known.get(isLesson);
    if (cached && now >= cached.from && now < cached.until) return cached.times;
    const times = findLessonTimes(isLesson, now);
    const until = Math.min(
      now + cacheMs,
      times.now?.until ?? Infinity,
      times.now ? Infinity : (times.next ?? Infinity),
    );
    known.set(isLesson, { times, from: now, until });
    return times;
  };
}
