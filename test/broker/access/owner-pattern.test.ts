import * as fc from 'fast-check';
import { compileOwnerPattern, ownerOptions } from '@porthole/broker/access/owner-pattern';
import { placeholderError } from '@porthole/shared/config/placeholder';
import { nameMatches } from './reference.ts';

type Field = keyof typeof ownerOptions;
const fields: readonly Field[] = ['names', 'tags', 'pools'];
const isValid = (entry: string, field: Field) => placeholderError(entry, ownerOptions[field]) === undefined;

const part = fc
  .array(fc.constantFrom('a', 'b', '1', '-', '.', '*', '?'), { maxLength: 5 })
  .map((all) => all.join(''));
const anyEntry = fc.tuple(part, part).map(([before, after]) => `${before}{user}${after}`);
/** Few characters, so that names are often parts of each other. */
const anyName = fc
  .array(fc.constantFrom('a', 'b', '1', '-', '.', '@'), { minLength: 1, maxLength: 6 })
  .map((all) => all.join(''));
const runs = { numRuns: 3000 };

/** A text that an entry should match for a user, with texts in place of the wildcards. */
const expand = (entry: string, user: string, fillers: readonly string[]) => {
  let next = 0;
  return entry
    .replaceAll('*', () => fillers[next++ % fillers.length] ?? '')
    .replaceAll('?', 'b')
    .replace('{user}', () => user);
};

test.each(fields)('no entry in %s gives one machine to two users, whatever users exist', (field) => {
  fc.assert(
    fc.property(
      anyEntry,
      anyName,
      fc.array(anyName, { minLength: 1, maxLength: 3 }),
      (entry, user, fillers) => {
        fc.pre(isValid(entry, field));
        const { matches } = compileOwnerPattern(entry, ownerOptions[field]) ?? fail();
        const text = expand(entry, user, fillers);
        const parts = new Set<string>();
        for (let from = 0; from < text.length; from++)
          for (let to = from + 1; to <= text.length; to++) parts.add(text.slice(from, to));
        // Only a part of the text can be the name of its owner.
        const owners = [...parts, user].filter((name) => matches(text, { user: name, groups: [] }));
        expect(new Set(owners).size).toBeLessThanOrEqual(1);
      },
    ),
    runs,
  );
});

test.each(fields)('every entry in %s without wildcards matches the expansion for each user', (field) => {
  fc.assert(
    fc.property(anyEntry, anyName, (entry, user) => {
      fc.pre(isValid(entry, field) && !/[*?]/.test(entry));
      const { ownerOf, matches } = compileOwnerPattern(entry, ownerOptions[field]) ?? fail();
      expect(ownerOf(expand(entry, user, ['']))).toBe(user);
      expect(matches(expand(entry, user, ['']), { user, groups: [] })).toBe(true);
    }),
    runs,
  );
});

test('wildcards match texts without the separator', () => {
  fc.assert(
    fc.property(anyEntry, anyName, fc.constantFrom('', 'a', 'b1'), (entry, user, filler) => {
      fc.pre(isValid(entry, 'names'));
      const { ownerOf } = compileOwnerPattern(entry, ownerOptions.names) ?? fail();
      expect(ownerOf(expand(entry, user, [filler]))).toBe(user);
    }),
    runs,
  );
});

test('a name pattern matches as the decision record defines', () => {
  fc.assert(
    fc.property(
      anyEntry,
      anyName,
      anyName,
      fc.array(anyName, { minLength: 1 }),
      (entry, user, other, fillers) => {
        fc.pre(isValid(entry, 'names'));
        const { matches } = compileOwnerPattern(entry, ownerOptions.names) ?? fail();
        for (const text of [expand(entry, user, fillers), other])
          expect(matches(text, { user, groups: [] })).toBe(
            nameMatches(entry, text, { user, group: undefined }),
          );
      },
    ),
    runs,
  );
});

test.each<[Field, string, string, string, boolean]>([
  ['tags', 'owner-{user}', 'owner-ann', 'ann', true],
  ['tags', 'owner-{user}', 'owner-ann', 'Ann', true],
  ['tags', 'owner-{user}', 'owner-ann-marie', 'ann', false],
  ['tags', '{user}', 'ann+lab', 'ann+lab', true],
  ['tags', '{user}', 'ann', 'ann@example.org', false],
  ['tags', 'owner-*', 'owner-ann', 'ann', false],
  ['pools', '{user}', 'ann', 'ann', true],
  ['pools', '{user}', 'Ann', 'ann', false],
  ['pools', 'homes/{user}', 'homes/ann', 'ann', true],
  ['pools', 'homes/{user}', 'homes/ann/lab', 'ann', false],
])('in %s, %s and the value %s: user %s', (field, entry, value, user, expected) => {
  const pattern = compileOwnerPattern(entry, ownerOptions[field]);
  expect(pattern?.matches(value, { user, groups: [] }) ?? false).toBe(expected);
});

test.each([
  ['{user}*', 'names', /no - or \. between \{user\} and \*/],
  ['*{group}', 'names', /between \{group\} and \*/],
  ['{user}a*', 'names', /between/],
  ['{group}-{user}', 'names', /more than one placeholder/],
  ['{user}-{user}', 'tags', /more than one placeholder/],
  ['{users}-1', 'names', /unknown placeholder/],
  ['{}', 'pools', /unknown placeholder/],
] as const)('the entry %s is invalid in %s', (entry, field, message) => {
  expect(placeholderError(entry, ownerOptions[field])).toMatch(message);
});

function fail(): never {
  throw new Error('The entry has no placeholder.');
}
