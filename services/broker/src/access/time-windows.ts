import { days, type TimeWindow } from '@porthole/shared/config/access-schema';

/**
 * Windows of time by the clock on the wall. A moment is turned into what the clock shows there, never the other way
 * round: so each moment is plainly in or out, also in the night in which an hour comes twice, and an hour that is
 * left out in spring is in no window.
 */
export type IsOpenAt = (now: number) => boolean;

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** No time zone changes its clock at another moment than at a quarter of an hour. */
const quarterMs = 15 * minuteMs;

export function compileTimeWindows(windows: readonly TimeWindow[] | undefined): IsOpenAt | undefined {
  if (!windows) return undefined;
  const compiled = windows.map(compileWindow);
  return (now) => compiled.some((isOpen) => isOpen(now));
}

function compileWindow({ timeZone, days: names, hours, from, until }: TimeWindow): IsOpenAt {
  const wallClock = wallClockOf(timeZone);
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
    const wall = wallClock(now);
    const time = wall % dayMs;
    const today = wall - time;
    if (begin < end) return time >= begin && time < end && isDay(today);
    // Over midnight: what goes on after it belongs to the day before.
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

/** What the clock on the wall shows at a moment, as the moment at which a clock in UTC shows the same. */
function wallClockOf(timeZone: string): (now: number) => number {
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
  // Asking is slow, and the same quarter is asked about again and again.
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
