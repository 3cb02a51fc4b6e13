import * as fc from 'fast-check';
import { compileNamePattern } from '@porthole/broker/access/name-pattern';

const matches = (pattern: string, name: string, user = '', groups: readonly string[] = []) =>
  compileNamePattern(pattern)(name, { user, groups });

test.each([
  ['lab-*', 'lab-anna-1', true],
  ['LAB-*', 'Lab-1', true],
  ['lab-?', 'lab-1', true],
  ['lab-?', 'lab-12', false],
  ['lab', 'lab-1', false],
])('the pattern %s and the machine %s', (pattern, name, expected) => {
  expect(matches(pattern, name)).toBe(expected);
});

// Users whose names begin with the name of another user.
test.each<[pattern: string, machine: string, owner: string | undefined]>([
  ['{user}-*', 'ann-1', 'ann'],
  ['{user}-*', 'ann-web', 'ann'],
  ['{user}-*', 'ann-marie-1', 'ann-marie'],
  ['{user}-*', 'ann-1-1', 'ann-1'],
  ['{user}-*', 'ann-', 'ann'],
  ['{user}-*', 'ann', undefined],
  ['{user}-*-*', 'ann-marie-1', 'ann'],
  ['{user}-1', 'ann-marie-1', 'ann-marie'],
  ['{user}-web-?', 'ann-web-1', 'ann'],
  ['lab-{user}', 'lab-ann-marie', 'ann-marie'],
  ['lab-{user}', 'lab-ann', 'ann'],
  ['lab-*-{user}', 'lab-2-ann-marie', 'ann-marie'],
  ['*-{user}-*', 'a-ann-marie-1', 'ann-marie'],
  ['{user}.*', 'ann-marie.lab', 'ann-marie'],
  ['{user}.*', 'ann.marie.lab', 'ann.marie'],
  ['{user}-*.example.org', 'ann-1.example.org', 'ann'],
  ['{user}-*', 'ann-1.lab-a.example', 'ann-1.lab'],
  ['{user}', 'ann-1', 'ann-1'],
  ['{user}?', 'ann1', 'ann'],
])('by %s the machine %s belongs to %s and to no other user', (pattern, machine, owner) => {
  const users = [
    'ann',
    'ann-marie',
    'ann-1',
    'ann.marie',
    'ann-web',
    'ann-1.lab',
    'marie',
    'a',
    '1',
    'ann@x',
  ];
  expect(users.filter((user) => matches(pattern, machine, user))).toEqual(owner === undefined ? [] : [owner]);
});

test('{group} is any group of the user', () => {
  expect(matches('{group}-*', 'class-a-1', 'ann', ['x', 'class-a'])).toBe(true);
  expect(matches('{group}-*', 'class-a-1', 'ann', ['class'])).toBe(false);
  expect(matches('{group}-*', 'class-a-1', 'class-a', [])).toBe(false);
});

test('{user} matches the characters of a name literally, whatever they are', () => {
  const text = fc.stringMatching(/^[a-z*?{}.[\]()+^$|\\-]{1,8}$/);
  const special = fc.oneof(fc.constantFrom('*', '?', '{user}', '.*', '[a-z]', 'a*', '**'), text);
  fc.assert(
    fc.property(special, fc.oneof(special, text), (user, other) => {
      expect(matches('lab-{user}', `lab-${user}`, user)).toBe(true);
      expect(matches('lab-{user}', `lab-${other}`, user)).toBe(other === user);
    }),
  );
});

test('{user} ignores the case of ASCII letters only', () => {
  expect(matches('lab-{user}', 'lab-kate', 'KATE')).toBe(true);
  // The Kelvin sign, whose lower case is k.
  expect(matches('lab-{user}', 'lab-kate', '\u212Aate')).toBe(false);
});

test('{user} never matches without a name', () => {
  for (const pattern of ['{user}', 'lab-{user}', '{user}-*'])
    for (const machine of ['', 'lab-', '-1', '-']) expect(matches(pattern, machine, '')).toBe(false);
});

test('a pattern with many wildcards is evaluated in bounded time', () => {
  const began = performance.now();
  expect(matches(`${'*a'.repeat(100)}b`, 'a'.repeat(250))).toBe(false);
  expect(matches(`{user}-${'*a'.repeat(100)}b`, `x-${'a'.repeat(250)}`, 'x')).toBe(false);
  expect(performance.now() - began).toBeLessThan(1000);
});
