import * as fc from 'fast-check';
import { createAccess, type Subject, type Target } from '@porthole/broker/access/decide';
import { isAtLeastAsPermissive } from '@porthole/broker/access/session-policy';
import {
  accessDocument,
  accessRule,
  days,
  rights,
  type AccessDocument,
  type AccessRule,
} from '@porthole/shared/config/access-schema';
import { z } from 'zod';

type Given = z.input<typeof accessRule>;
type GivenDocument = z.input<typeof accessDocument>;

const anna: Subject = { name: 'anna', groups: ['class-a'] };
const lab: Target = {
  cluster: 'school',
  node: 'pve1',
  type: 'qemu',
  vmid: 101,
  name: 'lab-anna',
  pool: 'rooms',
  tags: ['lab', 'linux'],
};

const limits = {
  sessionSeconds: 1000,
  maxSessionSeconds: undefined,
  idleSeconds: 500,
  consolesPerUser: 20,
  consolesPerMachine: 10,
};
/** A Monday, nine in the morning in Berlin. */
const monday = Date.UTC(2026, 5, 1, 7);

function access(document: GivenDocument, now = monday) {
  return createAccess(accessDocument.parse(document), { limits, now: () => now });
}

/** What Anna may do with her lab machine under these rules. */
function modes(...rules: Given[]) {
  return access({ access: rules }).decide(anna, lab).allow;
}
const rule = (
  which: Given['which'],
  allow: Given['allow'] = ['view'],
  who: Given['who'] = { everyone: true },
): Given => ({ who, which, allow });

test('without rules nobody may do anything', () => {
  expect(modes()).toEqual([]);
});

test('control includes view', () => {
  expect(modes(rule({ all: true }, ['control']))).toEqual(['view', 'control']);
  expect(modes(rule({ all: true }, ['view']))).toEqual(['view']);
});

test('people are named by user, by group, or all together', () => {
  expect(modes(rule({ all: true }, ['view'], { users: ['ben', 'anna'] }))).toEqual(['view']);
  expect(modes(rule({ all: true }, ['view'], { groups: ['class-a'] }))).toEqual(['view']);
  expect(modes(rule({ all: true }, ['view'], { users: ['ben'], groups: ['class-a'] }))).toEqual(['view']);
  expect(modes(rule({ all: true }, ['view'], { users: ['ben'], groups: ['class-b'] }))).toEqual([]);
});

test('upper and lower case count in names of users and groups', () => {
  expect(modes(rule({ all: true }, ['view'], { users: ['Anna'], groups: ['Class-A'] }))).toEqual([]);
});

test.each<[string, Given['which'], boolean]>([
  ['its cluster', { clusters: ['school'] }, true],
  ['another cluster', { clusters: ['office'] }, false],
  ['its node', { nodes: ['pve2', 'pve1'] }, true],
  ['another node', { nodes: ['pve2'] }, false],
  ['its pool', { pools: ['rooms'] }, true],
  ['another pool', { pools: ['room'] }, false],
  ['one of its tags', { tags: ['windows', 'linux'] }, true],
  ['another tag', { tags: ['lin'] }, false],
  ['its number', { vmids: [100, 101] }, true],
  ['a range around its number', { vmids: ['100-101'] }, true],
  ['a range beside its number', { vmids: ['102-199'] }, false],
  ['its name in other letters', { names: ['LAB-Anna'] }, true],
  ['a part of its name', { names: ['lab'] }, false],
  ['a pattern', { names: ['l?b-*'] }, true],
  ['a pattern that needs more', { names: ['lab-anna?'] }, false],
  ['the name of who asks', { names: ['lab-{user}'] }, true],
  ['the name of somebody else', { names: ['lab-{user}-2'] }, false],
  ['the name of a group', { names: ['{group}-*', 'lab-*'] }, true],
  ['the name of a group that it does not have', { names: ['{group}-*'] }, false],
  ['its type', { types: ['lxc', 'qemu'] }, true],
  ['another type', { types: ['lxc'] }, false],
  ['a range that ends with its number', { vmids: ['100-101', 300] }, true],
  ['a pool in other letters', { pools: ['Rooms'] }, false],
  ['a tag in other letters', { tags: ['LAB'] }, false],
  ['everything', { all: true }, true],
  ['all of several fields', { clusters: ['school'], tags: ['lab'], names: ['lab-*'] }, true],
  ['some of several fields', { clusters: ['school'], tags: ['lab'], names: ['test-*'] }, false],
  ['all, narrowed down', { all: true, nodes: ['pve2'] }, false],
])('a rule by %s', (_what, which, covers) => {
  expect(modes(rule(which))).toEqual(covers ? ['view'] : []);
});

test('a machine without a name, pool or tags matches no rule that asks for one', () => {
  const bare: Target = { ...lab, name: undefined, pool: undefined, tags: [] };
  for (const which of [{ names: ['*'] }, { pools: ['rooms'] }, { tags: ['lab'] }])
    expect(access({ access: [rule(which)] }).decide(anna, bare).allow).toEqual([]);
});

test.each<[string, Given['who'], Subject, boolean]>([
  [
    'a claim',
    { claims: { department: ['physics'] } },
    { ...anna, claims: { department: ['physics', 'art'] } },
    true,
  ],
  [
    'another value of a claim',
    { claims: { department: ['physics'] } },
    { ...anna, claims: { department: ['art'] } },
    false,
  ],
  ['a claim that they lack', { claims: { department: ['physics'] } }, anna, false],
  ['a claim that every object has', { claims: { constructor: ['physics'] } }, { ...anna, claims: {} }, false],
  ['one of several claims', { claims: { a: ['1'], b: ['2'] } }, { ...anna, claims: { b: ['2'] } }, true],
  ['a claim or a name', { users: ['anna'], claims: { a: ['1'] } }, anna, true],
  ['a program', { programs: ['portal'] }, { name: 'portal', groups: [], kind: 'program' }, true],
  ['another program', { programs: ['portal'] }, { name: 'bot', groups: [], kind: 'program' }, false],
  ['a person who is called like a program', { programs: ['portal'] }, { name: 'portal', groups: [] }, false],
  [
    'a program that is called like a person',
    { users: ['anna'] },
    { name: 'anna', groups: [], kind: 'program' },
    false,
  ],
  ['a program in a group', { groups: ['class-a'] }, { ...anna, kind: 'program' }, false],
  [
    'a program that is not everyone',
    { everyone: true },
    { name: 'portal', groups: [], kind: 'program' },
    false,
  ],
])('a rule for %s', (_what, who, subject, applies) => {
  expect(access({ access: [rule({ all: true }, ['view'], who)] }).decide(subject, lab).allow).toEqual(
    applies ? ['view'] : [],
  );
});

test('{group} stands for any group, and in a rule for groups only for those', () => {
  const both: Subject = { name: 'anna', groups: ['lab', 'class-a'] };
  const named = (who: Given['who']) =>
    access({ access: [rule({ names: ['{group}-*'] }, ['view'], who)] }).decide(both, lab).allow;
  expect(named({ everyone: true })).toEqual(['view']);
  expect(named({ groups: ['lab'] })).toEqual(['view']);
  expect(named({ groups: ['class-a'] })).toEqual([]);
});

test.each<[string, Given['allow'][], readonly string[]]>([
  ['look on', [['watch']], ['watch']],
  ['switch it on and off', [['power']], ['power']],
  [
    'everything, in one order',
    [['audit', 'explain', 'end', 'power', 'watch', 'terminal', 'control']],
    [...rights],
  ],
  ['what several rules give together', [['power'], ['view'], ['end']], ['view', 'power', 'end']],
])('somebody may %s', (_what, allows, expected) => {
  expect(modes(...allows.map((allow) => rule({ all: true }, allow)))).toEqual(expected);
});

describe('how a console is', () => {
  const terms = (mode: 'view' | 'control', ...rules: Given[]) =>
    access({ access: rules }).decide(anna, lab).policyFor(mode);
  const all = (more: Partial<Given>): Given => ({ ...rule({ all: true }, ['control']), ...more });

  test('is as the configuration says, where no rule says more', () => {
    expect(terms('control', all({}))).toEqual({
      clipboard: 'both',
      updatesPerSecond: Number.POSITIVE_INFINITY,
      sessionSeconds: 1000,
      maxSessionSeconds: 1000,
      idleSeconds: 500,
      consolesPerUser: 20,
      consolesPerMachine: 10,
    });
  });

  test('is nothing, where it may not be opened', () => {
    expect(terms('control', all({ allow: ['view', 'power'] }))).toBeUndefined();
    expect(terms('view', all({ allow: ['power', 'end', 'explain'] }))).toBeUndefined();
  });

  test.each([
    [['none', 'none'], 'none'],
    [['none', 'in'], 'in'],
    [['in', 'in'], 'in'],
    [['out', 'none'], 'out'],
    [['in', 'out'], 'both'],
    [['both', 'none'], 'both'],
    [[undefined, 'none'], 'both'],
  ] as const)('of the clipboards %j is %s', (given, expected) => {
    const rules = given.map((clipboard) => all(clipboard ? { clipboard } : {}));
    expect(terms('control', ...rules)?.clipboard).toBe(expected);
    expect(terms('control', ...rules.toReversed())?.clipboard).toBe(expected);
  });

  test('has the widest limit of all rules, and one that says nothing has that of the configuration', () => {
    expect(
      terms(
        'control',
        all({ limits: { sessionSeconds: 100, idleSeconds: 50, consolesPerUser: 1, updatesPerSecond: 2 } }),
        all({ limits: { sessionSeconds: 200, idleSeconds: 20, consolesPerUser: 3, updatesPerSecond: 1 } }),
      ),
    ).toMatchObject({ sessionSeconds: 200, idleSeconds: 50, consolesPerUser: 3, updatesPerSecond: 2 });
    expect(terms('control', all({ limits: { sessionSeconds: 100 } }), all({}))).toMatchObject({
      sessionSeconds: 1000,
      updatesPerSecond: Number.POSITIVE_INFINITY,
    });
  });

  test('can not be made longer, where a rule says how long and not by how much', () => {
    const extendable = { ...limits, maxSessionSeconds: 5000 };
    const of = (given: Given) =>
      createAccess(accessDocument.parse({ access: [given] }), { limits: extendable, now: () => monday })
        .decide(anna, lab)
        .policyFor('control')?.maxSessionSeconds;
    expect(of(all({}))).toBe(5000);
    expect(of(all({ limits: { sessionSeconds: 100 } }))).toBe(100);
    expect(of(all({ limits: { sessionSeconds: 100, maxSessionSeconds: 150 } }))).toBe(150);
  });

  test('is not made wider by a rule that does not open it', () => {
    const narrow = all({ clipboard: 'none', limits: { idleSeconds: 5 } });
    expect(terms('control', narrow, all({ allow: ['view'] }))).toMatchObject({
      clipboard: 'none',
      idleSeconds: 5,
    });
    expect(terms('view', narrow, all({ allow: ['view'] }))).toMatchObject({
      clipboard: 'both',
      idleSeconds: 500,
    });
    expect(terms('view', narrow, all({ allow: ['power'] }))).toMatchObject({ clipboard: 'none' });
  });
});

describe('a time window', () => {
  const berlin = { timeZone: 'Europe/Berlin' };
  const openAt = (when: Given['when'], iso: string) =>
    access({ access: [{ ...rule({ all: true }), ...(when ? { when } : {}) }] }, Date.parse(iso)).decide(
      anna,
      lab,
    ).allow.length > 0;

  test.each<[string, Given['when'], string, boolean]>([
    ['on its day', { ...berlin, days: ['mon'] }, '2026-06-01T10:00Z', true],
    ['on another day', { ...berlin, days: ['tue', 'sun'] }, '2026-06-01T10:00Z', false],
    ['on the day that it is there, not in UTC', { ...berlin, days: ['tue'] }, '2026-06-01T22:30Z', true],
    ['at its first minute', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T06:00Z', true],
    ['before its first minute', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T05:59:59Z', false],
    ['in its last second', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T13:59:59Z', true],
    ['at its end', { ...berlin, hours: '08:00-16:00' }, '2026-06-01T14:00Z', false],
    [
      'in winter, when the clock shows something else',
      { ...berlin, hours: '08:00-16:00' },
      '2026-01-12T07:00Z',
      true,
    ],
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
      'in one of several',
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
    // 29 March 2026: at 02:00 the clock goes to 03:00. 25 October: at 03:00 it goes back to 02:00.
    [
      'that lies in the hour that spring leaves out',
      { ...berlin, hours: '02:00-03:00' },
      '2026-03-29T01:00Z',
      false,
    ],
    [
      'right after the hour that spring leaves out',
      { ...berlin, hours: '02:30-03:30' },
      '2026-03-29T01:00Z',
      true,
    ],
    [
      'in the hour that comes twice, at first',
      { ...berlin, hours: '02:00-03:00' },
      '2026-10-25T00:30Z',
      true,
    ],
    ['in the hour that comes twice, again', { ...berlin, hours: '02:00-03:00' }, '2026-10-25T01:30Z', true],
    ['after the hour that comes twice', { ...berlin, hours: '02:00-03:00' }, '2026-10-25T02:00Z', false],
    [
      'where clocks differ by a half hour',
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
      'in the leap day',
      { timeZone: 'UTC', from: '2028-02-29', until: '2028-02-29' },
      '2028-02-29T12:00Z',
      true,
    ],
  ])('is judged %s', (_what, when, iso, open) => {
    expect(openAt(when, iso)).toBe(open);
  });

  test.each<[string, unknown]>([
    ['an unknown time zone', { timeZone: 'Europe/Nowhere', days: ['mon'] }],
    ['no time zone', { days: ['mon'] }],
    ['nothing but a time zone', { timeZone: 'UTC' }],
    ['a day that is none', { timeZone: 'UTC', days: ['monday'] }],
    ['a time that is none', { timeZone: 'UTC', hours: '08:00-25:00' }],
    ['an end at its beginning', { timeZone: 'UTC', hours: '08:00-08:00' }],
    ['a date that there is not', { timeZone: 'UTC', from: '2026-02-29' }],
    ['dates the wrong way round', { timeZone: 'UTC', from: '2026-06-02', until: '2026-06-01' }],
  ])('with %s is refused', (_what, when) => {
    expect(accessRule.safeParse({ ...rule({ all: true }), when }).success).toBe(false);
  });

  test('agrees with the clock on the wall at any moment, in any zone', () => {
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

describe('a console ends with its rules', () => {
  const berlin = { timeZone: 'Europe/Berlin' };
  const all = (more: Partial<Given>): Given => ({ ...rule({ all: true }, ['control']), ...more });
  const until = (...rules: Given[]) => {
    const end = access({ access: rules }).decide(anna, lab).validUntil('control');
    return end === undefined ? undefined : new Date(end).toISOString();
  };
  // A session lasts 1000 s at most here: until 09:16:40 in Berlin.
  const short = { ...berlin, hours: '08:00-09:10' };

  test('when its window closes', () => {
    expect(until(all({ when: short }))).toBe('2026-06-01T07:10:00.000Z');
  });

  test('never, where there is no window, or none that closes before its time is over', () => {
    expect(until(all({}))).toBeUndefined();
    expect(until(all({ when: { ...berlin, hours: '08:00-16:00' } }))).toBeUndefined();
  });

  test('not while another rule gives the same', () => {
    expect(until(all({ when: short }), all({}))).toBeUndefined();
    expect(until(all({ when: short }), all({ when: { ...berlin, hours: '09:10-09:14' } }))).toBe(
      '2026-06-01T07:14:00.000Z',
    );
  });

  test('when what is left gives less, as at the beginning of an exam', () => {
    const exam = all({ clipboard: 'none', when: { ...berlin, hours: '09:05-11:00' } });
    expect(until(all({ when: short }), exam)).toBe('2026-06-01T07:10:00.000Z');
    expect(until(all({ when: short }), all({ allow: ['view'] }))).toBe('2026-06-01T07:10:00.000Z');
  });
});

describe('a class', () => {
  const classes: GivenDocument['classes'] = [
    {
      name: 'networks-1',
      title: 'Networks',
      members: { groups: ['class-a'] },
      instructors: { users: ['ina'] },
      machines: { pools: ['rooms'] },
      own: ['lab-{user}'],
      allow: ['control', 'power'],
      clipboard: 'none',
      when: { timeZone: 'Europe/Berlin', hours: '08:00-16:00' },
    },
  ];
  const ina: Subject = { name: 'ina', groups: ['teachers'] };
  const night = Date.UTC(2026, 5, 1, 22);

  test.each<[string, Subject, Partial<Target>, number, readonly string[]]>([
    ['a member and their own machine', anna, {}, monday, ['view', 'control', 'power']],
    ['a member and the machine of another', anna, { name: 'lab-ben' }, monday, []],
    ['a member and a machine of that name elsewhere', anna, { pool: 'other' }, monday, []],
    ['a member at night', anna, {}, night, []],
    ['somebody else whose name it has', { name: 'anna', groups: ['class-b'] }, {}, monday, []],
    ['an instructor', ina, {}, monday, ['view', 'control', 'watch', 'power', 'end']],
    ['an instructor at night', ina, {}, night, ['view', 'control', 'watch', 'power', 'end']],
    ['an instructor and a machine elsewhere', ina, { pool: 'other' }, monday, []],
  ])('of %s', (_what, subject, machine, now, expected) => {
    expect(access({ classes }, now).decide(subject, { ...lab, ...machine }).allow).toEqual(expected);
  });

  test('holds its members to its limits, and not its instructors', () => {
    const { decide } = access({ classes });
    expect(decide(anna, lab).policyFor('control')?.clipboard).toBe('none');
    expect(decide(ina, lab).policyFor('control')?.clipboard).toBe('both');
  });

  test('says who teaches it and which machines it has', () => {
    const [first] = access({ classes }).classes;
    expect(first).toMatchObject({ name: 'networks-1', title: 'Networks' });
    expect([first?.hasInstructor(ina), first?.hasInstructor(anna)]).toEqual([true, false]);
    expect([first?.hasMachine(lab), first?.hasMachine({ ...lab, pool: undefined })]).toEqual([true, false]);
  });

  test('that says the name of one person for all its machines is refused, and so are two of one name', () => {
    const [first] = classes;
    const parse = (given: unknown) => accessDocument.safeParse({ classes: given }).success;
    expect(parse([first])).toBe(true);
    expect(parse([{ ...first, machines: { names: ['{user}-*'] } }])).toBe(false);
    expect(parse([first, first])).toBe(false);
    expect(parse([{ ...first, own: undefined }])).toBe(false);
  });
});

const word = fc.constantFrom('a', 'b', 'lab', 'Lab-1', 'anna', '*', '?', '{user}', '{group}');
const few = fc.array(word, { minLength: 1, maxLength: 3 });
const some = <T>(all: readonly T[]) => fc.uniqueArray(fc.constantFrom(...all), { minLength: 1 });
const anyWindow = fc.record(
  {
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Pacific/Apia'),
    days: some(days),
    hours: fc.constantFrom('00:00-12:00', '09:00-09:30', '22:00-07:30'),
  },
  { requiredKeys: ['timeZone', 'days'] },
);
const anyTerms = {
  clipboard: fc.constantFrom('both' as const, 'in' as const, 'out' as const, 'none' as const),
  when: fc.array(anyWindow, { minLength: 1, maxLength: 2 }),
  limits: fc.record(
    {
      sessionSeconds: fc.integer({ min: 1, max: 4000 }),
      idleSeconds: fc.integer({ min: 1, max: 10 }),
      updatesPerSecond: fc.integer({ min: 1, max: 10 }),
    },
    { requiredKeys: [] },
  ),
};
const whichFields = {
  clusters: few,
  nodes: few,
  pools: few,
  tags: few,
  types: some(['qemu', 'lxc'] as const),
  vmids: fc.array(fc.oneof(fc.integer({ min: 100, max: 110 }), fc.constant('103-106')), { minLength: 1 }),
};
const anyWhich = fc
  .record({ ...whichFields, names: few, all: fc.constant(true as const) }, { requiredKeys: [] })
  .filter((which) => Object.keys(which).length > 0);
const anyRule: fc.Arbitrary<AccessRule> = fc.record(
  {
    who: fc
      .record(
        {
          users: few,
          groups: few,
          programs: few,
          claims: fc.dictionary(word, few, { minKeys: 1, maxKeys: 2 }),
          everyone: fc.constant(true as const),
        },
        { requiredKeys: [] },
      )
      .filter((who) => Object.keys(who).length > 0),
    which: anyWhich,
    allow: some(rights),
    ...anyTerms,
  },
  { requiredKeys: ['who', 'which', 'allow'] },
);
const anyDocument: fc.Arbitrary<AccessDocument> = fc.record({
  access: fc.array(anyRule, { maxLength: 4 }),
  classes: fc.array(
    fc.record(
      {
        name: fc.constantFrom('one', 'two'),
        members: fc.record({ users: few, groups: few }),
        instructors: fc.record({ users: few }),
        machines: fc
          .record(whichFields, { requiredKeys: [] })
          .filter((which) => Object.keys(which).length > 0),
        own: few,
        allow: some(rights),
        ...anyTerms,
      },
      { requiredKeys: ['name', 'members', 'machines', 'own', 'allow'] },
    ),
    { maxLength: 2 },
  ),
});
const anySubject: fc.Arbitrary<Subject> = fc.record(
  {
    name: word,
    groups: fc.array(word, { maxLength: 3 }),
    claims: fc.dictionary(word, few, { maxKeys: 2 }),
    kind: fc.constantFrom('person' as const, 'program' as const),
  },
  { requiredKeys: ['name', 'groups'] },
);
const anyTarget: fc.Arbitrary<Target> = fc.record({
  cluster: word,
  node: word,
  type: fc.constantFrom('qemu' as const, 'lxc' as const),
  vmid: fc.integer({ min: 100, max: 110 }),
  name: fc.option(word, { nil: undefined }),
  pool: fc.option(word, { nil: undefined }),
  tags: fc.array(word, { maxLength: 3 }),
});
const anyTime = fc.integer({ min: Date.UTC(2026, 5, 1), max: Date.UTC(2026, 5, 8) });
const runs = { numRuns: 500 };

const at = (document: AccessDocument, now: number) => createAccess(document, { limits, now: () => now });
/** A decision as something that can be compared. */
const seen = (document: AccessDocument, subject: Subject, target: Target, now: number) => {
  const { allow, policyFor: terms, validUntil: until } = at(document, now).decide(subject, target);
  return { allow, terms: [terms('view'), terms('control')], until: [until('view'), until('control')] };
};

/** The rules in the words of the decision, with none of the code under test. Windows are taken out before. */
function expected(rules: readonly AccessRule[], subject: Subject, target: Target): string[] {
  const granted = rules.flatMap(({ who, which, allow }) => {
    const named =
      subject.kind === 'program'
        ? who.programs?.includes(subject.name)
        : who.everyone ||
          who.users?.includes(subject.name) ||
          who.groups?.some((name) => subject.groups.includes(name)) ||
          Object.entries(who.claims ?? {}).some(([claim, values]) =>
            (Object.entries(subject.claims ?? {}).find(([name]) => name === claim)?.[1] ?? []).some((value) =>
              values.includes(value),
            ),
          );
    const groups = subject.groups.filter((name) => !who.groups || who.groups.includes(name));
    const misses =
      (which.clusters && !which.clusters.includes(target.cluster)) ||
      (which.nodes && !which.nodes.includes(target.node)) ||
      (which.pools && !which.pools.includes(target.pool ?? '')) ||
      (which.tags && !which.tags.some((tag) => target.tags.includes(tag))) ||
      (which.types && !which.types.includes(target.type)) ||
      (which.vmids &&
        !which.vmids.some((entry) =>
          typeof entry === 'number' ? entry === target.vmid : target.vmid >= 103 && target.vmid <= 106,
        )) ||
      (which.names &&
        !which.names.some((pattern) => nameMatches(pattern, target.name, subject.name, groups)));
    return named && !misses ? [...allow, ...(allow.includes('control') ? ['view'] : [])] : [];
  });
  return rights.filter((right) => granted.includes(right));
}

/** Recursive and slow, but it can be read. */
function nameMatches(
  pattern: string,
  name: string | undefined,
  user: string,
  groups: readonly string[],
): boolean {
  if (name === undefined) return false;
  const match = (p: string, n: string, group: string): boolean => {
    if (p === '') return n === '';
    for (const [hole, text] of [
      ['{user}', user.toLowerCase()],
      ['{group}', group.toLowerCase()],
    ] as const)
      if (p.startsWith(hole))
        return n.startsWith(text) && match(p.slice(hole.length), n.slice(text.length), group);
    if (p.startsWith('*')) return match(p.slice(1), n, group) || (n !== '' && match(p, n.slice(1), group));
    if (p.startsWith('?')) return n !== '' && match(p.slice(1), n.slice(1), group);
    return p[0]?.toLowerCase() === n[0] && match(p.slice(1), n.slice(1), group);
  };
  const candidates = pattern.includes('{group}') ? groups : [''];
  return candidates.some((group) => match(pattern, name.toLowerCase(), group));
}

test('no set of rules grants more or less than its rules say', () => {
  const always = anyRule.map((rule): AccessRule => ({ ...rule, when: undefined }));
  fc.assert(
    fc.property(fc.array(always, { maxLength: 5 }), anySubject, anyTarget, (rules, subject, target) => {
      expect(at({ access: rules }, monday).decide(subject, target).allow).toEqual(
        expected(rules, subject, target),
      );
    }),
    { numRuns: 1000 },
  );
});

test('the order of rules and classes does not matter', () => {
  fc.assert(
    fc.property(anyDocument, anySubject, anyTarget, anyTime, (document, subject, target, now) => {
      const { access = [], classes = [] } = document;
      const turned = { access: access.toReversed(), classes: classes.toReversed() };
      expect(seen(turned, subject, target, now)).toEqual(seen(document, subject, target, now));
    }),
    runs,
  );
});

test('one rule more never takes anything away, not even from how a console is', () => {
  fc.assert(
    fc.property(
      anyDocument,
      anyRule,
      anySubject,
      anyTarget,
      anyTime,
      (document, more, subject, target, now) => {
        const before = at(document, now).decide(subject, target);
        const after = at({ ...document, access: [more, ...(document.access ?? [])] }, now).decide(
          subject,
          target,
        );
        expect(after.allow).toEqual(expect.arrayContaining([...before.allow]));
        for (const mode of ['view', 'control'] as const) {
          const [was, is] = [before.policyFor(mode), after.policyFor(mode)];
          if (was) expect(is && isAtLeastAsPermissive(was, is)).toBe(true);
        }
      },
    ),
    runs,
  );
});

test('an explanation agrees with the decision, always, and its rules are what decides', () => {
  fc.assert(
    fc.property(anyDocument, anySubject, anyTarget, anyTime, (document, subject, target, now) => {
      const access = at(document, now);
      const decided = access.decide(subject, target);
      const { decision, rules } = access.explain(subject, target);
      expect(decision.allow).toEqual(decided.allow);
      for (const mode of ['view', 'control'] as const) {
        expect(decision.policyFor(mode)).toEqual(decided.policyFor(mode));
        expect(decision.validUntil(mode)).toEqual(decided.validUntil(mode));
      }
      for (const right of rights) expect(decision.rulesGranting(right)).toEqual(decided.rulesGranting(right));
      const given = rules.filter(({ mismatch: miss }) => miss === undefined).flatMap(({ grants }) => grants);
      expect(rights.filter((right) => given.includes(right))).toEqual(decided.allow);
      // Of another moment it says what is decided then.
      expect(at(document, 0).explain(subject, target, now).rules).toEqual(rules);
    }),
    runs,
  );
});

test('a console stays as it is until its end, and gives less right then', () => {
  fc.assert(
    fc.property(anyDocument, anySubject, anyTarget, anyTime, (document, subject, target, now) => {
      const decided = at(document, now).decide(subject, target);
      const [terms, end] = [decided.policyFor('view'), decided.validUntil('view')];
      if (!terms || end === undefined) return;
      const then = (when: number) => at(document, when).decide(subject, target).policyFor('view');
      const [after, just] = [then(end), then(end - 1)];
      expect(after && isAtLeastAsPermissive(terms, after)).toBeFalsy();
      expect(just && isAtLeastAsPermissive(terms, just)).toBe(true);
    }),
    runs,
  );
});

test('{user} stands for exactly the characters of the name, whatever they are', () => {
  const { decide } = access({ access: [rule({ names: ['lab-{user}'] })] });
  const text = fc.stringMatching(/^[a-z*?{}.[\]()+^$|\\-]{1,8}$/);
  const nasty = fc.oneof(fc.constantFrom('*', '?', '{user}', '.*', '[a-z]', 'a*', '**'), text);
  fc.assert(
    fc.property(nasty, fc.oneof(nasty, text), (user, other) => {
      const may = (name: string) => decide({ name: user, groups: [] }, { ...lab, name }).allow.length > 0;
      expect(may(`lab-${user}`)).toBe(true);
      expect(may(`lab-${other}`)).toBe(other === user);
    }),
  );
});

test('a pattern made to take for ever does not', () => {
  const { decide } = access({ access: [rule({ names: [`${'*a'.repeat(100)}b`] })] });
  const began = performance.now();
  expect(decide(anna, { ...lab, name: 'a'.repeat(250) }).allow).toEqual([]);
  expect(performance.now() - began).toBeLessThan(1000);
});
