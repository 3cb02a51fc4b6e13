import { compileTimeWindows } from '@porthole/broker/access/time-windows';
import { createLessonCache, findLessons } from '@porthole/broker/classes/lessons';
import type { TimeWindow } from '@porthole/shared/config/access-schema';

const isLesson = (...windows: TimeWindow[]) => {
  const compiled = compileTimeWindows(windows);
  if (!compiled) throw new Error('no windows');
  return compiled;
};
const berlin = { timeZone: 'Europe/Berlin' };
const at = (text: string) => Date.parse(text);

test('the current lesson ends at its minute, and the next one begins on the next day', () => {
  const lesson = isLesson({ ...berlin, days: ['mon', 'tue'], hours: '08:03-09:37' });
  // A Monday in winter.
  expect(findLessons(lesson, at('2026-01-05T07:30:20Z'))).toEqual({
    now: { until: at('2026-01-05T08:37Z') },
    next: { from: at('2026-01-06T07:03Z'), until: at('2026-01-06T08:37Z') },
  });
});

test('between lessons there is only a next one, and after the last one there is none', () => {
  const lesson = isLesson({ ...berlin, from: '2026-01-07', until: '2026-01-07', hours: '10:00-11:00' });
  expect(findLessons(lesson, at('2026-01-05T12:00Z'))).toEqual({
    next: { from: at('2026-01-07T09:00Z'), until: at('2026-01-07T10:00Z') },
  });
  expect(findLessons(lesson, at('2026-01-07T10:00Z'))).toEqual({});
});

test('a lesson without an end in the next days has no end', () => {
  expect(findLessons(isLesson({ ...berlin, from: '2026-01-01' }), at('2026-01-05T12:00Z'))).toEqual({
    now: {},
  });
});

test('lessons are searched again when one begins or ends', () => {
  let calls = 0;
  const window = isLesson({ ...berlin, hours: '08:00-09:00' });
  const counted = (time: number) => {
    calls += 1;
    return window(time);
  };
  const lessonsAt = createLessonCache();
  const before = at('2026-01-05T06:50Z');
  expect(lessonsAt(counted, before).now).toBeUndefined();
  const searched = calls;
  lessonsAt(counted, before + 9 * 60_000);
  expect(calls).toBe(searched);
  expect(lessonsAt(counted, before + 10 * 60_000).now).toEqual({ until: at('2026-01-05T08:00Z') });
});
