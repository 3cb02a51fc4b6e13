import * as fc from 'fast-check';
import { describeConflict, findOverlaps } from '@porthole/broker/access/overlaps';
import { compileOwnerPattern, ownerOptions } from '@porthole/broker/access/owner-pattern';
import { findSharedText, stepsOf } from '@porthole/broker/access/pattern-overlap';
import { accessDocument, type AccessRule } from '@porthole/shared/config/access-schema';
import { placeholderError } from '@porthole/shared/config/placeholder';
import { lab, rule, type GivenDocument } from './fixtures.ts';

const overlaps = (document: GivenDocument, ...users: { name: string; groups: string[] }[]) =>
  findOverlaps(accessDocument.parse(document), users);
const inRules = (...all: AccessRule['which'][]) => ({ access: all.map((which) => rule(which)) });
const user = (name: string, ...groups: string[]) => ({ name, groups });

test.each<[string, GivenDocument]>([
  ['one entry', inRules({ names: ['{user}-*'] })],
  ['one entry in two rules', inRules({ names: ['{user}-*'] }, { names: ['{user}-*'] })],
  ['entries with different ends', inRules({ names: ['{user}-web', '{user}-db'] })],
  ['entries with different beginnings', inRules({ names: ['lab-{user}', 'exam-{user}'] })],
  ['a user and a group', inRules({ names: ['{user}-*', '{group}'] })],
  ['a name and a tag', inRules({ names: ['{user}'] }, { tags: ['owner-{user}'] })],
  [
    'rules for different clusters',
    inRules({ names: ['{user}'], clusters: ['a'] }, { names: ['{user}-*'], clusters: ['b'] }),
  ],
  [
    'classes with different pools',
    {
      classes: ['a', 'b'].map((name) => ({
        name,
        members: { groups: [name] },
        machines: { pools: [name] },
        own: [name === 'a' ? '{user}' : '{user}-*'],
      })),
    },
  ],
  ['no placeholder', inRules({ all: true }, { names: ['*', 'lab-*'] })],
])('%s: no overlap', (_what, document) => {
  expect(overlaps(document, user('ann', 'ann'), user('ann-web', 'ann-web'))).toEqual([]);
});

test.each<[string, GivenDocument, RegExp]>([
  [
    'two patterns of one rule',
    inRules({ names: ['{user}', '{user}-*'] }),
    /^"\{user\}" in access\.0\.which\.names and "\{user\}-\*" in access\.0\.which\.names overlap: machine "(a|b)-(a|b)?.*" would belong to the users/,
  ],
  [
    'patterns of two rules',
    inRules({ names: ['lab-{user}'] }, { names: ['{user}-1'] }),
    /access\.0\.which\.names and "\{user\}-1" in access\.1\.which\.names overlap: machine "lab-.+-1"/,
  ],
  ['tags', inRules({ tags: ['owner-{user}', 'owner-team-{user}'] }), /overlap: tag "owner-team-/],
  ['groups', inRules({ pools: ['{group}', '{group}/lab'] }), /belong to the groups/],
  [
    'a rule and a class',
    {
      ...inRules({ names: ['{user}-*'] }),
      classes: [{ name: 'a', members: { groups: ['a'] }, machines: { pools: ['p'] }, own: ['{user}'] }],
    },
    /classes\.0\.own\.names overlap/,
  ],
])('%s: an overlap', (_what, document, warning) => {
  expect(overlaps(document)).toEqual([expect.stringMatching(warning)]);
});

test('an overlap names users of the users file who share a machine', () => {
  const document = inRules({ names: ['{user}', '{user}-*'] });
  const [warning] = overlaps(document, user('ann'), user('Ann-Marie'), user('ben'));
  expect(warning).toContain('in the users file, "Ann-Marie" and "ann" share "ann-marie"');
  expect(overlaps(document, user('ann'), user('ben'))[0]).not.toContain('users file');
});

test('a user whose own tag is named by another rule is reported', () => {
  const document = inRules({ tags: ['{user}'] }, { tags: ['exam'] });
  expect(overlaps(document, user('ann'), user('exam'))).toEqual([
    expect.stringContaining('gives user "exam" all machines with the tag "exam"'),
  ]);
  expect(overlaps(inRules({ tags: ['owner-{user}'] }, { tags: ['exam'] }), user('exam'))).toEqual([]);
});

test('a conflict names all users that a machine belongs to', () => {
  const document = accessDocument.parse(
    inRules({ names: ['lab-{user}'] }, { names: ['{user}-*', 'x-{user}'] }),
  );
  expect(describeConflict(document, { ...lab, name: 'lab-ann' })).toBe(
    'several users match: "ann" by "lab-{user}" in access.0.which.names, "lab" by "{user}-*" in access.1.which.names',
  );
  expect(describeConflict(document, { ...lab, name: 'ann-lab' })).toBeUndefined();
  expect(describeConflict(document, { ...lab, name: undefined })).toBeUndefined();
});

test('two patterns overlap if and only if they give a machine to two users', () => {
  const part = fc
    .array(fc.constantFrom('a', '1', '-', '*', '?'), { maxLength: 3 })
    .map((all) => all.join(''));
  const entry = fc
    .tuple(part, part)
    .map(([before, after]) => `${before}{user}${after}`)
    .filter((one) => placeholderError(one, ownerOptions.names) === undefined);
  const machine = fc
    .array(fc.constantFrom('a', '1', 'x', '-'), { minLength: 1, maxLength: 8 })
    .map((all) => all.join(''))
    .filter((name) => !name.startsWith('-') && !name.endsWith('-'));
  const ownerOf = (one: string, name: string) => compileOwnerPattern(one, ownerOptions.names)?.ownerOf(name);
  fc.assert(
    fc.property(entry, entry, fc.array(machine, { minLength: 30, maxLength: 30 }), (p, q, machines) => {
      const shared = findSharedText(stepsOf(p, ownerOptions.names), stepsOf(q, ownerOptions.names));
      if (shared === undefined) {
        for (const name of machines) {
          const [a, b] = [ownerOf(p, name), ownerOf(q, name)];
          expect(a === undefined || b === undefined || a === b).toBe(true);
        }
      } else {
        const [a, b] = [ownerOf(p, shared), ownerOf(q, shared)];
        expect(a).toBeDefined();
        expect(b).toBeDefined();
        expect(a).not.toBe(b);
      }
    }),
    { numRuns: 2000 },
  );
});
