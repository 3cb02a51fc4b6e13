import type { ClassDetails } from '../../services/broker/web/src/class-types.ts';
import {
  currentNews,
  shownTexts,
  updateLessonTimes,
  type LessonTime,
} from '../../services/broker/web/src/lessons/lesson-times.ts';
import { lessonNewsText, timetableText } from '../../services/broker/web/src/texts/lessons.ts';

const now = Date.parse('2026-01-07T07:00:00Z');
const minute = 60_000;
const iso = (minutes: number) => new Date(now + minutes * minute).toISOString();

const aClass = (lesson: ClassDetails['lesson'], title = 'Networks'): ClassDetails => ({
  name: title.toLowerCase(),
  title,
  role: 'member',
  may: [],
  hands: [],
  seats: [],
  ...(lesson ? { lesson } : {}),
});
const newsAt = (times: readonly LessonTime[], at: number) =>
  currentNews(times, at).map(({ title, what }) => `${title} ${what}`);

test('a page says five minutes before that a lesson ends, and two minutes long that it has ended', () => {
  const times = updateLessonTimes([], [aClass({ now: { until: iso(10) } })], now);
  expect(newsAt(times, now + 4 * minute)).toEqual([]);
  expect(newsAt(times, now + 5 * minute)).toEqual(['Networks end']);
  expect(newsAt(times, now + 11 * minute)).toEqual(['Networks end']);
  expect(newsAt(times, now + 12 * minute)).toEqual([]);
});

test('what has passed stays for a while, although the newest list says nothing of it', () => {
  const at = (minutes: number) => now + minutes * minute;
  let times = updateLessonTimes([], [aClass({ next: { from: iso(1), until: iso(90) } })], now);
  expect(newsAt(times, now)).toEqual(['Networks begin']);
  times = updateLessonTimes(times, [aClass({ now: { until: iso(90) } })], at(2));
  expect(newsAt(times, at(2))).toEqual(['Networks begin']);
  times = updateLessonTimes(times, [aClass({ now: { until: iso(90) } })], at(3));
  expect(newsAt(times, at(3))).toEqual([]);
  times = updateLessonTimes(times, [aClass({ next: { from: iso(1000) } })], at(91));
  expect(newsAt(times, at(91))).toEqual(['Networks end']);
});

test('a lesson that is moved before it begins is not announced for its old time', () => {
  let times = updateLessonTimes([], [aClass({ next: { from: iso(3) } })], now);
  times = updateLessonTimes(times, [aClass({ next: { from: iso(60) } })], now + minute);
  expect(newsAt(times, now + 3 * minute)).toEqual([]);
});

test('two classes have their own news, and a class without lessons has none', () => {
  const classes = [
    aClass({ now: { until: iso(2) } }),
    aClass({ next: { from: iso(1) } }, 'Databases'),
    aClass(undefined, 'Club'),
  ];
  expect(newsAt(updateLessonTimes([], classes, now), now)).toEqual(['Databases begin', 'Networks end']);
});

test('on a console, each text is shown for some seconds, and again if it comes back later', () => {
  const since = new Map<string, number>();
  const shown = (texts: readonly string[], seconds: number) =>
    shownTexts(since, texts, { now: now + seconds * 1000, showMs: 20_000 });
  expect(shown(['a'], 0)).toEqual(['a']);
  expect(shown(['a', 'b'], 15)).toEqual(['a', 'b']);
  expect(shown(['a', 'b'], 21)).toEqual(['b']);
  expect(shown([], 40)).toEqual([]);
  expect(shown(['a'], 60)).toEqual(['a']);
});

test('texts name the class, and the time as long as it is to come', () => {
  const time = { className: 'networks', title: 'Networks', at: now };
  expect(lessonNewsText({ ...time, what: 'end' }, now - minute)).toMatch(
    /^Networks: the lesson ends at \d\d:\d\d/,
  );
  expect(lessonNewsText({ ...time, what: 'begin' }, now)).toBe('Networks: the lesson has begun.');
  expect(lessonNewsText({ ...time, what: 'end' }, now + minute)).toBe('Networks: the lesson has ended.');
  expect(timetableText({ startMinutes: 10, shutdownMinutes: 1 })).toBe(
    'Machines start 10 minutes before each lesson. Machines without an open console shut down 1 minute after it.',
  );
  expect(timetableText({ shutdownMinutes: 0 })).toBe(
    'Machines without an open console shut down when a lesson ends.',
  );
});
