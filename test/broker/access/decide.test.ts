import type { Subject, Target } from '@porthole/broker/access/subject';
import { rights } from '@porthole/shared/config/access-schema';
import { accessOf, anna, lab, rightsUnder, rule, type GivenRule } from './fixtures.ts';

test('without rules no user has any right', () => {
  expect(rightsUnder()).toEqual([]);
});

test('control includes view', () => {
  expect(rightsUnder(rule({ all: true }, ['control']))).toEqual(['view', 'control']);
  expect(rightsUnder(rule({ all: true }, ['view']))).toEqual(['view']);
});

test('a rule applies to users by name, by group, or to everyone', () => {
  expect(rightsUnder(rule({ all: true }, ['view'], { users: ['ben', 'anna'] }))).toEqual(['view']);
  expect(rightsUnder(rule({ all: true }, ['view'], { groups: ['class-a'] }))).toEqual(['view']);
  expect(rightsUnder(rule({ all: true }, ['view'], { users: ['ben'], groups: ['class-a'] }))).toEqual([
    'view',
  ]);
  expect(rightsUnder(rule({ all: true }, ['view'], { users: ['ben'], groups: ['class-b'] }))).toEqual([]);
});

test('names of users and groups in a rule are case-sensitive', () => {
  expect(rightsUnder(rule({ all: true }, ['view'], { users: ['Anna'], groups: ['Class-A'] }))).toEqual([]);
});

test.each<[string, GivenRule['which'], boolean]>([
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
  ['its name in another case', { names: ['LAB-Anna'] }, true],
  ['a part of its name', { names: ['lab'] }, false],
  ['a pattern', { names: ['l?b-*'] }, true],
  ['a pattern that needs one more character', { names: ['lab-anna?'] }, false],
  ['the name of the user', { names: ['lab-{user}'] }, true],
  ['the name of another user', { names: ['lab-{user}-2'] }, false],
  ['the name of a group of the user', { names: ['{group}-*', 'lab-*'] }, true],
  ['the name of a group, and another machine', { names: ['{group}-*'] }, false],
  ['its type', { types: ['lxc', 'qemu'] }, true],
  ['another type', { types: ['lxc'] }, false],
  ['a range that ends with its number', { vmids: ['100-101', 300] }, true],
  ['a pool in another case', { pools: ['Rooms'] }, false],
  ['a tag in another case', { tags: ['LAB'] }, false],
  ['everything', { all: true }, true],
  ['all of several fields', { clusters: ['school'], tags: ['lab'], names: ['lab-*'] }, true],
  ['some of several fields', { clusters: ['school'], tags: ['lab'], names: ['test-*'] }, false],
  ['all, and another node', { all: true, nodes: ['pve2'] }, false],
])('a rule by %s', (_what, which, covers) => {
  expect(rightsUnder(rule(which))).toEqual(covers ? ['view'] : []);
});

test('a machine without a name, pool or tags matches no rule that names one', () => {
  const bare: Target = { ...lab, name: undefined, pool: undefined, tags: [] };
  for (const which of [{ names: ['*'] }, { pools: ['rooms'] }, { tags: ['lab'] }])
    expect(accessOf({ access: [rule(which)] }).decide(anna, bare).allow).toEqual([]);
});

test.each<[string, GivenRule['who'], Subject, boolean]>([
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
  ['a claim that the user lacks', { claims: { department: ['physics'] } }, anna, false],
  [
    'a claim with the name of an object property',
    { claims: { constructor: ['physics'] } },
    { ...anna, claims: {} },
    false,
  ],
  ['one of several claims', { claims: { a: ['1'], b: ['2'] } }, { ...anna, claims: { b: ['2'] } }, true],
  ['a claim or a name', { users: ['anna'], claims: { a: ['1'] } }, anna, true],
  ['a program', { programs: ['portal'] }, { name: 'portal', groups: [], kind: 'program' }, true],
  ['another program', { programs: ['portal'] }, { name: 'bot', groups: [], kind: 'program' }, false],
  ['a person with the name of a program', { programs: ['portal'] }, { name: 'portal', groups: [] }, false],
  [
    'a program with the name of a person',
    { users: ['anna'] },
    { name: 'anna', groups: [], kind: 'program' },
    false,
  ],
  ['a program in a group', { groups: ['class-a'] }, { ...anna, kind: 'program' }, false],
  [
    'everyone, which excludes programs',
    { everyone: true },
    { name: 'portal', groups: [], kind: 'program' },
    false,
  ],
])('a rule for %s', (_what, who, subject, applies) => {
  expect(accessOf({ access: [rule({ all: true }, ['view'], who)] }).decide(subject, lab).allow).toEqual(
    applies ? ['view'] : [],
  );
});

test('{group} is any group of the user, or, in a rule that names groups, one of these', () => {
  const both: Subject = { name: 'anna', groups: ['lab', 'class-a'] };
  const named = (who: GivenRule['who']) =>
    accessOf({ access: [rule({ names: ['{group}-*'] }, ['view'], who)] }).decide(both, lab).allow;
  expect(named({ everyone: true })).toEqual(['view']);
  expect(named({ groups: ['lab'] })).toEqual(['view']);
  expect(named({ groups: ['class-a'] })).toEqual([]);
});

test.each<[string, GivenRule['allow'][], readonly string[]]>([
  ['watch', [['watch']], ['watch']],
  ['power', [['power']], ['power']],
  [
    'all rights in a fixed order',
    [['recordings', 'audit', 'explain', 'end', 'power', 'watch', 'terminal', 'control']],
    [...rights],
  ],
  ['the union of several rules', [['power'], ['view'], ['end']], ['view', 'power', 'end']],
])('rules give %s', (_what, allows, expected) => {
  expect(rightsUnder(...allows.map((allow) => rule({ all: true }, allow)))).toEqual(expected);
});
