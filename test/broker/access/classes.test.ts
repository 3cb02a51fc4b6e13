import type { Subject, Target } from '@porthole/broker/access/subject';
import { accessDocument } from '@porthole/shared/config/access-schema';
import { accessOf, anna, lab, monday, type GivenDocument } from './fixtures.ts';

type AccessClassOwn = NonNullable<GivenDocument['classes']>[number]['own'];

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
    ['a member and the machine of another member', anna, { name: 'lab-ben' }, monday, []],
    ['a member and a machine of that name elsewhere', anna, { pool: 'other' }, monday, []],
    ['a member at night', anna, {}, night, []],
    ['a user of that name who is no member', { name: 'anna', groups: ['class-b'] }, {}, monday, []],
    ['an instructor', ina, {}, monday, ['view', 'control', 'watch', 'power', 'end']],
    ['an instructor at night', ina, {}, night, ['view', 'control', 'watch', 'power', 'end']],
    ['an instructor and a machine elsewhere', ina, { pool: 'other' }, monday, []],
  ])('decides for %s', (_what, subject, machine, now, expected) => {
    expect(accessOf({ classes }, now).decide(subject, { ...lab, ...machine }).allow).toEqual(expected);
  });

  test('limits its members and not its instructors', () => {
    const { decide } = accessOf({ classes });
    expect(decide(anna, lab).policyFor('control')?.clipboard).toBe('none');
    expect(decide(ina, lab).policyFor('control')?.clipboard).toBe('both');
  });

  test('knows its instructors and its machines', () => {
    const [first] = accessOf({ classes }).classes;
    expect(first).toMatchObject({ name: 'networks-1', title: 'Networks' });
    expect([first?.hasInstructor(ina), first?.hasInstructor(anna)]).toEqual([true, false]);
    expect([first?.hasMachine(lab), first?.hasMachine({ ...lab, pool: undefined })]).toEqual([true, false]);
  });

  test('is refused if its machines have a placeholder, its name is taken, or own is missing', () => {
    const [first] = classes;
    const parse = (given: unknown) => accessDocument.safeParse({ classes: given }).success;
    expect(parse([first])).toBe(true);
    for (const machines of [{ names: ['{user}-*'] }, { tags: ['owner-{user}'] }, { pools: ['{group}'] }])
      expect(parse([{ ...first, machines }])).toBe(false);
    expect(parse([first, first])).toBe(false);
    expect(parse([{ ...first, own: undefined }])).toBe(false);
  });

  test.each<[string, AccessClassOwn, Partial<Target>, boolean]>([
    ['a tag', { tags: ['owner-{user}'] }, { tags: ['owner-anna'] }, true],
    ['the tag of another member', { tags: ['owner-{user}'] }, { tags: ['owner-ben'] }, false],
    ['a pool', { pools: ['{group}'] }, { pool: 'class-a' }, true],
    ['a pool of a group that the class does not name', { pools: ['{group}'] }, { pool: 'class-b' }, false],
    [
      'a tag and a name, of which one does not match',
      { tags: ['owner-{user}'], names: ['x-*'] },
      { tags: ['owner-anna'] },
      false,
    ],
  ])('gives members their own machines by %s', (_what, own, machine, expected) => {
    const subject: Subject = { name: 'anna', groups: ['class-a', 'class-b'] };
    const given = { name: 'a', members: { groups: ['class-a'] }, machines: { clusters: ['school'] }, own };
    const decision = accessOf({ classes: [given] }).decide(subject, { ...lab, ...machine });
    expect(decision.allow).toEqual(expected ? ['view', 'control'] : []);
  });
});
