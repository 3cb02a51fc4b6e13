import { days, type TimeWindow } from '@porthole/shared/config/access-schema';

/**
 * Says whether a time window is open at a time in milliseconds since the epoch. Converts the time to local time, never the
 * reverse, so that no time is ambiguous: an hour that occurs twice in autumn is in its window twice, and an hour that is
 * left out in spring never.
 */
export type IsOpenAt = (now: number) => boolean;

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Time zones change their offset only on quarters of an hour. */
const quarterMs = 15 * minuteMs;

export function compileTimeWindows(windows: readonly TimeWindow[] | undefined): IsOpenAt | undefined {
  if (!windows) return undefined;
  const compiled = windows.map(compileWindow);
  return (now) => compiled.some((isOpen) => isOpen(now));
}

function compileWindow({ timeZone, days: names, hours, from, until }: TimeWindow): IsOpenAt {
  const localTime = localTimeOf(timeZone);
  const weekdays = new Set(names?.map((name) => days.indexOf(name)));
  const [begin, end] =
    hours === undefined ? [0, dayMs] : (hours.split('-').map(timeOfDay) as [number, number]);
  const isDay = (day: number) => {
    const date = new Date(day).toISOString().slice(0, 10);
    return (
      (names === undefined || weekdays.has(weekdayOf(day))) &&
      (from === undefined || date >= from) &&
      (until === undefined || date <= until)
    );
  };
  return (now) => {
    const local = localTime(now);
    const time = local % dayMs;
    const today = local - time;
    if (begin < end) return time >= begin && time < end && isDay(today);
    // Over midnight: the part after midnight belongs to the day before.
    return (time >= begin && isDay(today)) || (time < end && isDay(today - dayMs));
  };
}

/** 1970-01-01 was a Thursday. Monday is 0. */
function weekdayOf(day: number): number {
  return (day / dayMs + 3) % 7;
}

function timeOfDay(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return (hour * 60 + minute) * minuteMs;
}

/** Converts a time to local time, as the time at which UTC shows the same. */
function localTimeOf(timeZone: string): (now: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  // Cached, because formatting is slow and most calls are about the same quarter of an hour.
  let quarter = Number.NaN;
  let offset = 0;
  return (now) => {
    const wanted = Math.floor(now / quarterMs) * quarterMs;
    if (wanted !== quarter) {
      const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
      for (const { type, value } of format.formatToParts(wanted)) part[type] = Number(value);
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
      offset = Date.UTC(year, month - 1, day, hour, minute) - wanted;
      quarter = wanted;
    }
    return now + offset;
  };
}
