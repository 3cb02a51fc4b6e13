import * as fc from 'fast-check';
import { accessRule, days } from '@porthole/shared/config/access-schema';
import { accessOf, anna, lab, rule, type GivenRule } from './fixtures.ts';

describe('a time window', () => {
  const berlin = { timeZone: 'Europe/Berlin' };
  const openAt = (when: GivenRule['when'], iso: string) =>
    accessOf({ access: [{ ...rule({ all: true }), ...(when ? { when } : {}) }] }, Date.parse(iso)).decide(
      anna,
      lab,
    ).allow.length > 0;

  test.each<[string, GivenRule['when'], string, boolean]>([
    ['on its day', { ...berlin, days: ['mon'] }, '2026-06-01T10:00Z', true],
    ['on another day', { ...berlin, days: ['tue', 'sun'] }, '2026-06-01T10:00Z', false],
    ['on the local day, not the day in UTC', { ...berlin, days: ['tue'] }, '2026-06-01T22:30Z', true],
    ['at its first minute', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T06:00Z', true],
    ['before its first minute', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T05:59:59Z', false],
    ['in its last second', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T13:59:59Z', true],
    ['at its end', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T14:00Z', false],
    ['in winter, with another offset', { ...berlin, hours: '08:00-16:00' }, '2026-01-12T07:00Z', true],
    ['in winter, an hour earlier', { ...berlin, hours: '08:00-16:00' }, '2026-01-12T06:59Z', false],
    ['until midnight', { ...berlin, hours: '20:00-24:00' }, '2026-06-01T21:59Z', true],
    ['after midnight', { ...berlin, hours: '20:00-24:00' }, '2026-06-01T22:00Z', false],
    [
      'over midnight, before it',
      { ...berlin, hours: '22:00-06:00', days: ['mon'] },
      '2026-06-01T20:00Z',
      true,
    ],
    [
      'over midnight, after it',
      { ...berlin, hours: '22:00-06:00', days: ['mon'] },
      '2026-06-02T03:59Z',
      true,
    ],
    [
      'over midnight, at its end',
      { ...berlin, hours: '22:00-06:00', days: ['mon'] },
      '2026-06-02T04:00Z',
      false,
    ],
    [
      'over midnight, the night before',
      { ...berlin, hours: '22:00-06:00', days: ['mon'] },
      '2026-06-01T03:00Z',
      false,
    ],
    ['on its first date', { ...berlin, from: '2026-06-01' }, '2026-05-31T22:00Z', true],
    ['before its first date', { ...berlin, from: '2026-06-01' }, '2026-05-31T21:59Z', false],
    ['on its last date', { ...berlin, until: '2026-06-01' }, '2026-06-01T21:59Z', true],
    ['after its last date', { ...berlin, until: '2026-06-01' }, '2026-06-01T22:00Z', false],
    [
      'in the night after its last date',
      { ...berlin, hours: '22:00-06:00', until: '2026-06-01' },
      '2026-06-02T01:00Z',
      true,
    ],
    [
      'in one of several windows',
      [
        { ...berlin, days: ['tue'] },
        { timeZone: 'UTC', days: ['mon'] },
      ],
      '2026-06-01T10:00Z',
      true,
    ],
    [
      'an exam',
      { ...berlin, from: '2026-06-01', until: '2026-06-01', hours: '09:00-11:00' },
      '2026-06-01T08:00Z',
      true,
    ],
    [
      'an exam, a day later',
      { ...berlin, from: '2026-06-01', until: '2026-06-01', hours: '09:00-11:00' },
      '2026-06-02T08:00Z',
      false,
    ],
    // Clocks change on 29 March 2026 from 02:00 to 03:00, and on 25 October from 03:00 to 02:00.
    ['in the hour that spring leaves out', { ...berlin, hours: '02:00-03:00' }, '2026-03-29T01:00Z', false],
    [
      'right after the hour that spring leaves out',
      { ...berlin, hours: '02:30-03:30' },
      '2026-03-29T01:00Z',
      true,
    ],
    [
      'in the hour that occurs twice, the first time',
      { ...berlin, hours: '02:00-03:00' },
      '2026-10-25T00:30Z',
      true,
    ],
    [
      'in the hour that occurs twice, the second time',
      { ...berlin, hours: '02:00-03:00' },
      '2026-10-25T01:30Z',
      true,
    ],
    ['after the hour that occurs twice', { ...berlin, hours: '02:00-03:00' }, '2026-10-25T02:00Z', false],
    [
      'with an offset of half hours',
      { timeZone: 'Asia/Kolkata', hours: '12:00-13:00' },
      '2026-06-01T06:30Z',
      true,
    ],
    [
      'on the other side of the date line',
      { timeZone: 'Pacific/Kiritimati', days: ['tue'] },
      '2026-06-01T10:00Z',
      true,
    ],
    [
      'on the leap day',
      { timeZone: 'UTC', from: '2028-02-29', until: '2028-02-29' },
      '2028-02-29T12:00Z',
      true,
    ],
  ])('is evaluated %s', (_what, when, iso, open) => {
    expect(openAt(when, iso)).toBe(open);
  });

  test.each<[string, unknown]>([
    ['an unknown time zone', { timeZone: 'Europe/Nowhere', days: ['mon'] }],
    ['no time zone', { days: ['mon'] }],
    ['nothing but a time zone', { timeZone: 'UTC' }],
    ['an invalid day', { timeZone: 'UTC', days: ['monday'] }],
    ['an invalid time', { timeZone: 'UTC', hours: '08:00-25:00' }],
    ['an end equal to the beginning', { timeZone: 'UTC', hours: '08:00-08:00' }],
    ['a date that does not exist', { timeZone: 'UTC', from: '2026-02-29' }],
    ['dates in the wrong order', { timeZone: 'UTC', from: '2026-06-02', until: '2026-06-01' }],
  ])('with %s is refused', (_what, when) => {
    expect(accessRule.safeParse({ ...rule({ all: true }), when }).success).toBe(false);
  });

  test('agrees with local time at any time, in any zone', () => {
    const zones = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'UTC', 'Pacific/Apia'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }),
        fc.integer({ min: 0, max: 23 }),
        fc.constantFrom(...days),
        (timeZone, now, hour, day) => {
          const shown = new Intl.DateTimeFormat('en-GB', {
            timeZone,
            weekday: 'short',
            hour: '2-digit',
            hourCycle: 'h23',
          });
          const parts = Object.fromEntries(shown.formatToParts(now).map(({ type, value }) => [type, value]));
          const two = (n: number) => String(n).padStart(2, '0');
          const hours = `${two(hour)}:00-${two(hour + 1)}:00`;
          expect(openAt({ timeZone, hours, days: [day] }, new Date(now).toISOString())).toBe(
            parts['weekday']?.toLowerCase() === day && Number(parts['hour']) === hour,
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
