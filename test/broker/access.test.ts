import * as fc from 'fast-check';
import { createDecide, type Subject, type Target } from '@porthole/broker/access/decide';
import { accessRule, type AccessRule } from '@porthole/shared/config/access-schema';

const anna: Subject = { name: 'anna', groups: ['class-a'] };
const lab: Target = {
  cluster: 'school',
  node: 'pve1',
  vmid: 101,
  name: 'lab-anna',
  pool: 'rooms',
  tags: ['lab', 'linux'],
};

/** What Anna may do with her lab machine under these rules. */
function modes(...rules: AccessRule[]) {
  return createDecide(rules.map((rule) => accessRule.parse(rule)))(anna, lab);
}
const rule = (
  which: AccessRule['which'],
  allow: AccessRule['allow'] = ['view'],
  who: AccessRule['who'] = { everyone: true },
) => ({ who, which, allow });

test('without rules nobody may do anything', () => {
  expect(modes()).toEqual([]);
});

test('control includes view', () => {
  expect(modes(rule({ all: true }, ['control']))).toEqual(['view', 'control']);
  expect(modes(rule({ all: true }, ['view']))).toEqual(['view']);
});

test('a terminal is a right of its own: neither includes the other', () => {
  expect(modes(rule({ all: true }, ['terminal']))).toEqual(['terminal']);
  expect(modes(rule({ all: true }, ['terminal', 'control']))).toEqual(['view', 'control', 'terminal']);
  expect(modes(rule({ all: true }, ['terminal']), rule({ all: true }))).toEqual(['view', 'terminal']);
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

test.each<[string, AccessRule['which'], boolean]>([
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
  ['all of several fields', { clusters: ['school'], tags: ['lab'], names: ['lab-*'] }, true],
  ['some of several fields', { clusters: ['school'], tags: ['lab'], names: ['test-*'] }, false],
  ['all, narrowed down', { all: true, nodes: ['pve2'] }, false],
])('a rule by %s', (_what, which, covers) => {
  expect(modes(rule(which))).toEqual(covers ? ['view'] : []);
});

test('a machine without a name, pool or tags matches no rule that asks for one', () => {
  const bare: Target = { ...lab, name: undefined, pool: undefined, tags: [] };
  for (const which of [{ names: ['*'] }, { pools: ['rooms'] }, { tags: ['lab'] }])
    expect(createDecide([rule(which)])(anna, bare)).toEqual([]);
});

const word = fc.constantFrom('a', 'b', 'lab', 'Lab-1', 'anna', '*', '?', '{user}');
const few = fc.array(word, { minLength: 1, maxLength: 3 });
const anyRule: fc.Arbitrary<AccessRule> = fc.record({
  who: fc.oneof(
    fc.record({ users: few }),
    fc.record({ groups: few }),
    fc.record({ users: few, groups: few }),
    fc.constant({ everyone: true as const }),
  ),
  which: fc
    .record(
      {
        clusters: few,
        nodes: few,
        pools: few,
        tags: few,
        vmids: fc.array(fc.oneof(fc.integer({ min: 100, max: 110 }), fc.constant('103-106')), {
          minLength: 1,
        }),
        names: few,
        all: fc.constant(true as const),
      },
      { requiredKeys: [] },
    )
    .filter((which) => Object.keys(which).length > 0),
  allow: fc.uniqueArray(fc.constantFrom('view' as const, 'control' as const, 'terminal' as const), {
    minLength: 1,
  }),
});
const anySubject = fc.record({ name: word, groups: fc.array(word, { maxLength: 3 }) });
const anyTarget = fc.record({
  cluster: word,
  node: word,
  vmid: fc.integer({ min: 100, max: 110 }),
  name: fc.option(word, { nil: undefined }),
  pool: fc.option(word, { nil: undefined }),
  tags: fc.array(word, { maxLength: 3 }),
});

/** The rules in the words of the decision, with none of the code under test. */
function expected(rules: readonly AccessRule[], subject: Subject, target: Target): string[] {
  const granted = rules.flatMap(({ who, which, allow }) => {
    const named =
      who.everyone ||
      who.users?.includes(subject.name) ||
      who.groups?.some((name) => subject.groups.includes(name));
    const misses =
      (which.clusters && !which.clusters.includes(target.cluster)) ||
      (which.nodes && !which.nodes.includes(target.node)) ||
      (which.pools && !which.pools.includes(target.pool ?? '')) ||
      (which.tags && !which.tags.some((tag) => target.tags.includes(tag))) ||
      (which.vmids &&
        !which.vmids.some((entry) =>
          typeof entry === 'number' ? entry === target.vmid : target.vmid >= 103 && target.vmid <= 106,
        )) ||
      (which.names && !which.names.some((pattern) => nameMatches(pattern, target.name, subject.name)));
    return named && !misses ? allow : [];
  });
  return [
    ...(granted.includes('view') || granted.includes('control') ? ['view'] : []),
    ...(granted.includes('control') ? ['control'] : []),
    ...(granted.includes('terminal') ? ['terminal'] : []),
  ];
}

/** Recursive and slow, but it can be read. */
function nameMatches(pattern: string, name: string | undefined, user: string): boolean {
  if (name === undefined) return false;
  const match = (p: string, n: string): boolean => {
    if (p === '') return n === '';
    if (p.startsWith('{user}')) {
      const who = user.toLowerCase();
      return n.startsWith(who) && match(p.slice(6), n.slice(who.length));
    }
    if (p.startsWith('*')) return match(p.slice(1), n) || (n !== '' && match(p, n.slice(1)));
    if (p.startsWith('?')) return n !== '' && match(p.slice(1), n.slice(1));
    return p[0]?.toLowerCase() === n[0] && match(p.slice(1), n.slice(1));
  };
  return match(pattern, name.toLowerCase());
}

test('no set of rules grants more or less than its rules say', () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 5 }), anySubject, anyTarget, (rules, subject, target) => {
      expect(createDecide(rules)(subject, target)).toEqual(expected(rules, subject, target));
    }),
    { numRuns: 1000 },
  );
});

test('the order of rules does not matter, and one more never takes anything away', () => {
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 5 }),
      anyRule,
      anySubject,
      anyTarget,
      (rules, more, subject, target) => {
        const before = createDecide(rules)(subject, target);
        expect(createDecide(rules.toReversed())(subject, target)).toEqual(before);
        expect(createDecide([more, ...rules])(subject, target)).toEqual(expect.arrayContaining([...before]));
      },
    ),
  );
});

test('{user} stands for exactly the characters of the name, whatever they are', () => {
  const decide = createDecide([rule({ names: ['lab-{user}'] })]);
  const text = fc.stringMatching(/^[a-z*?{}.[\]()+^$|\\-]{1,8}$/);
  const nasty = fc.oneof(fc.constantFrom('*', '?', '{user}', '.*', '[a-z]', 'a*', '**'), text);
  fc.assert(
    fc.property(nasty, fc.oneof(nasty, text), (user, other) => {
      const may = (name: string) => decide({ name: user, groups: [] }, { ...lab, name }).length > 0;
      expect(may(`lab-${user}`)).toBe(true);
      expect(may(`lab-${other}`)).toBe(other === user);
    }),
  );
});

test('a pattern made to take for ever does not', () => {
  const decide = createDecide([rule({ names: [`${'*a'.repeat(100)}b`] })]);
  const began = performance.now();
  expect(decide(anna, { ...lab, name: 'a'.repeat(250) })).toEqual([]);
  expect(performance.now() - began).toBeLessThan(1000);
});
