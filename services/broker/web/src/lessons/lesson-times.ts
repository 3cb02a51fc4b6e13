import type { ClassDetails } from '../class-types.ts';

/** A lesson of a class begins or ends at a time, in milliseconds since the epoch. */
export interface LessonTime {
  readonly className: string;
  readonly title: string;
  readonly what: 'begin' | 'end';
  readonly at: number;
}

/** How long before a lesson begins or ends pages say so, and how long afterwards. */
const beforeMs = 5 * 60_000;
const afterMs = 2 * 60_000;

/**
 * The times that matter now. The list of classes says nothing of what is over, so times that were `known` and have
 * passed stay; those that were changed before they came are dropped.
 */
export function updateLessonTimes(
  known: readonly LessonTime[],
  classes: readonly ClassDetails[],
  now: number,
): readonly LessonTime[] {
  const listed = classes.flatMap(({ name, title, lesson }) => {
    const timeOf = (what: LessonTime['what'], iso: string | undefined) =>
      iso === undefined ? [] : { className: name, title, what, at: Date.parse(iso) };
    return [timeOf('end', lesson?.now?.until), timeOf('begin', lesson?.next?.from)].flat();
  });
  const isListed = (time: LessonTime) => listed.some((each) => isSame(each, time));
  const passed = known.filter((time) => time.at <= now && now - time.at < afterMs && !isListed(time));
  return [...passed, ...listed];
}

/** What users should know now, the most recent last. */
export function currentNews(times: readonly LessonTime[], now: number): readonly LessonTime[] {
  return times.filter(({ at }) => at - now <= beforeMs && now - at < afterMs).toSorted((a, b) => a.at - b.at);
}

/** Those of the texts that were first shown less than `showMs` ago. `since` remembers when that was. */
export function shownTexts(
  since: Map<string, number>,
  texts: readonly string[],
  { now, showMs }: { readonly now: number; readonly showMs: number },
): readonly string[] {
  for (const text of since.keys()) if (!texts.includes(text)) since.delete(text);
  for (const text of texts) if (!since.has(text)) since.set(text, now);
  return texts.filter((text) => now - (since.get(text) ?? now) < showMs);
}

function isSame(a: LessonTime, b: LessonTime): boolean {
  return a.className === b.className && a.what === b.what && a.at === b.at;
}
