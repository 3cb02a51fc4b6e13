import { createAccess } from '@porthole/broker/access/decide';
import { parkSecondsOf } from '@porthole/broker/access/session-policy';
import { accessDocument } from '@porthole/shared/config/access-schema';
import { accessOf, anna, lab, limits, monday, rule, type GivenRule } from './fixtures.ts';

describe('the session policy', () => {
  const policy = (mode: 'view' | 'control', ...rules: GivenRule[]) =>
    accessOf({ access: rules }).decide(anna, lab).policyFor(mode);
  const all = (more: Partial<GivenRule>): GivenRule => ({ ...rule({ all: true }, ['control']), ...more });

  test('has the limits of the configuration if the rule sets none', () => {
    expect(policy('control', all({}))).toEqual({
      clipboard: 'both',
      updatesPerSecond: Number.POSITIVE_INFINITY,
      sessionSeconds: 1000,
      maxSessionSeconds: 1000,
      idleSeconds: 500,
      parkViewSeconds: 300,
      parkControlSeconds: 900,
      consolesPerUser: 20,
      consolesPerMachine: 10,
      record: undefined,
    });
  });

  test('is undefined if the rules do not give the mode', () => {
    expect(policy('control', all({ allow: ['view', 'power'] }))).toBeUndefined();
    expect(policy('view', all({ allow: ['power', 'end', 'explain'] }))).toBeUndefined();
  });

  test.each([
    [['none', 'none'], 'none'],
    [['none', 'in'], 'in'],
    [['in', 'in'], 'in'],
    [['out', 'none'], 'out'],
    [['in', 'out'], 'both'],
    [['both', 'none'], 'both'],
    [[undefined, 'none'], 'both'],
  ] as const)('combines the clipboard directions %j to %s', (given, expected) => {
    const rules = given.map((clipboard) => all(clipboard ? { clipboard } : {}));
    expect(policy('control', ...rules)?.clipboard).toBe(expected);
    expect(policy('control', ...rules.toReversed())?.clipboard).toBe(expected);
  });

  test('has the least restrictive limit of all rules, where a rule without a limit has that of the configuration', () => {
    expect(
      policy(
        'control',
        all({ limits: { sessionSeconds: 100, idleSeconds: 50, consolesPerUser: 1, updatesPerSecond: 2 } }),
        all({ limits: { sessionSeconds: 200, idleSeconds: 20, consolesPerUser: 3, updatesPerSecond: 1 } }),
      ),
    ).toMatchObject({ sessionSeconds: 200, idleSeconds: 50, consolesPerUser: 3, updatesPerSecond: 2 });
    expect(policy('control', all({ limits: { sessionSeconds: 100 } }), all({}))).toMatchObject({
      sessionSeconds: 1000,
      updatesPerSecond: Number.POSITIVE_INFINITY,
    });
  });

  test('parks latest of all rules, and never if one rule says 0', () => {
    const parked = (...rules: GivenRule[]) =>
      (['view', 'control'] as const).map((mode) => {
        const combined = policy(mode, ...rules);
        return combined && parkSecondsOf(combined, mode);
      });
    const exam = all({ limits: { parkViewSeconds: 60, parkControlSeconds: 0 } });
    const lesson = all({ limits: { parkViewSeconds: 90, parkControlSeconds: 30 } });
    expect(parked(exam)).toEqual([60, undefined]);
    expect(parked(lesson)).toEqual([90, 30]);
    expect(parked(exam, lesson)).toEqual([90, undefined]);
    expect(parked(all({}))).toEqual([300, 900]);
  });

  test('has the strictest recording of all rules, and names the rule that says so', () => {
    const lesson = all({ name: 'lesson', record: { mode: 'try', keepDays: 30, consent: true } });
    const exam = all({ name: 'exam', record: 'required' });
    const open = all({ name: 'open' });
    for (const rules of [
      [lesson, exam, open],
      [open, exam, lesson],
    ])
      expect(policy('control', ...rules)?.record).toEqual({
        mode: 'required',
        keys: false,
        clipboard: false,
        consent: true,
        keepDays: 30,
        rule: 'exam',
      });
    expect(policy('control', open, lesson)?.record).toMatchObject({ mode: 'try', rule: 'lesson' });
    expect(policy('control', open)?.record).toBeUndefined();
    expect(policy('control', all({ name: 'keys', record: { keys: true } }), exam)?.record).toMatchObject({
      keys: true,
      clipboard: false,
    });
  });

  test('ends when a rule begins that records more', () => {
    const exam = { timeZone: 'Europe/Berlin', hours: '09:05-11:00' };
    const validUntil = (record: GivenRule['record'], later: GivenRule['record']) =>
      accessOf({
        access: [all({ ...(record && { record }) }), all({ when: exam, ...(later && { record: later }) })],
      })
        .decide(anna, lab)
        .validUntil('control');
    const begin = monday + 5 * 60_000;
    expect(validUntil(undefined, 'try')).toBe(begin);
    expect(validUntil('try', 'required')).toBe(begin);
    expect(validUntil('required', { mode: 'try', keys: true })).toBe(begin);
    expect(validUntil('required', 'try')).toBeUndefined();
    expect(validUntil('required', undefined)).toBeUndefined();
  });

  test('permits no extension if the rule sets only sessionSeconds', () => {
    const extendable = { ...limits, maxSessionSeconds: 5000 };
    const of = (given: GivenRule) =>
      createAccess(accessDocument.parse({ access: [given] }), { limits: extendable, now: () => monday })
        .decide(anna, lab)
        .policyFor('control')?.maxSessionSeconds;
    expect(of(all({}))).toBe(5000);
    expect(of(all({ limits: { sessionSeconds: 100 } }))).toBe(100);
    expect(of(all({ limits: { sessionSeconds: 100, maxSessionSeconds: 150 } }))).toBe(150);
  });

  test('ignores rules that do not give the mode', () => {
    const narrow = all({ clipboard: 'none', limits: { idleSeconds: 5 } });
    expect(policy('control', narrow, all({ allow: ['view'] }))).toMatchObject({
      clipboard: 'none',
      idleSeconds: 5,
    });
    expect(policy('view', narrow, all({ allow: ['view'] }))).toMatchObject({
      clipboard: 'both',
      idleSeconds: 500,
    });
    expect(policy('view', narrow, all({ allow: ['power'] }))).toMatchObject({ clipboard: 'none' });
  });
});

describe('the end of a decision', () => {
  const berlin = { timeZone: 'Europe/Berlin' };
  const all = (more: Partial<GivenRule>): GivenRule => ({ ...rule({ all: true }, ['control']), ...more });
  const until = (...rules: GivenRule[]) => {
    const end = accessOf({ access: rules }).decide(anna, lab).validUntil('control');
    return end === undefined ? undefined : new Date(end).toISOString();
  };
  // A session lasts 1000 s at most here: until 09:16:40 in Berlin.
  const short = { ...berlin, hours: '08:00-09:10' };

  test('is the end of the time window', () => {
    expect(until(all({ when: short }))).toBe('2026-06-01T07:10:00.000Z');
  });

  test('is undefined if no window closes within the lifetime of a console', () => {
    expect(until(all({}))).toBeUndefined();
    expect(until(all({ when: { ...berlin, hours: '08:00-16:00' } }))).toBeUndefined();
  });

  test('is later if another rule gives the same', () => {
    expect(until(all({ when: short }), all({}))).toBeUndefined();
    expect(until(all({ when: short }), all({ when: { ...berlin, hours: '09:10-09:14' } }))).toBe(
      '2026-06-01T07:14:00.000Z',
    );
  });

  test('is the minute in which the remaining rules give less', () => {
    const exam = all({ clipboard: 'none', when: { ...berlin, hours: '09:05-11:00' } });
    expect(until(all({ when: short }), exam)).toBe('2026-06-01T07:10:00.000Z');
    expect(until(all({ when: short }), all({ allow: ['view'] }))).toBe('2026-06-01T07:10:00.000Z');
  });
});
