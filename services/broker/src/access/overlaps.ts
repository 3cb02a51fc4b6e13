import type { AccessDocument } from '@porthole/shared/config/access-schema';
import { parsePlaceholder, type Placeholder } from '@porthole/shared/config/placeholder';
import type { TargetConditions } from './match-target.ts';
import { compileOwnerPattern, ownerOptions } from './owner-pattern.ts';
import { findCommonText, findSharedText, stepsOf } from './pattern-overlap.ts';
import type { Target } from './subject.ts';

type OwnerField = keyof typeof ownerOptions;
const ownerFields: readonly OwnerField[] = ['names', 'tags', 'pools'];

/** An entry with a placeholder, and where it is. */
interface OwnerEntry {
  /** Such as `access.0.which.names`. */
  readonly place: string;
  readonly field: OwnerField;
  readonly entry: string;
  readonly placeholder: Placeholder;
  /** Other conditions on the machine, in the same rule or class. */
  readonly conditions: readonly TargetConditions[];
}

/** Users of the users file. */
export interface KnownUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Pairs that are named in a warning. */
const maxExamples = 3;

/**
 * Finds entries with placeholders that can give one machine to two users or groups: a single entry never does, but two
 * entries can, such as `{user}` and `{user}-*`. Names users of the users file to whom that happens now.
 */
export function findOverlaps(document: AccessDocument, users: readonly KnownUser[]): readonly string[] {
  const entries = ownerEntriesOf(document);
  const byText = [...Map.groupBy(entries, ({ field, entry }) => `${field} ${entry}`).values()];
  const warnings: string[] = [];
  for (const [index, group] of byText.entries())
    for (const other of byText.slice(index + 1)) {
      const shared = sharedText(group[0], other[0]);
      if (shared === undefined) continue;
      const [a] = group.filter((one) => other.some((b) => canMeet(one, b)));
      const b = a && other.find((one) => canMeet(a, one));
      if (a && b) warnings.push(describe(a, b, shared, examplesAmong(users, a, b)));
    }
  return [...warnings, ...findReservedOwners(document, entries, users)];
}

function sharedText(a: OwnerEntry | undefined, b: OwnerEntry | undefined): string | undefined {
  if (!a || !b || a.field !== b.field || a.placeholder !== b.placeholder) return undefined;
  const options = ownerOptions[a.field];
  return findSharedText(stepsOf(a.entry, options), stepsOf(b.entry, options));
}

/**
 * Finds the entries that give a machine to different users, or to different groups, and describes them. Undefined if there
 * is no such conflict.
 */
export function describeConflict(document: AccessDocument, target: Target): string | undefined {
  for (const placeholder of ['user', 'group'] as const)
    for (const field of ['names', 'pools'] as const) {
      const value = field === 'names' ? target.name : target.pool;
      if (value === undefined) continue;
      const owners = new Map<string, OwnerEntry>();
      for (const one of ownerEntriesOf(document)) {
        if (one.placeholder !== placeholder || one.field !== field) continue;
        const owner = compileOwnerPattern(one.entry, ownerOptions[field])?.ownerOf(value);
        if (owner !== undefined && !owners.has(owner)) owners.set(owner, one);
      }
      if (owners.size > 1)
        return `several ${placeholder}s match: ${[...owners]
          .map(([owner, { place, entry }]) => `"${owner}" by "${entry}" in ${place}`)
          .join(', ')}`;
    }
  return undefined;
}

function ownerEntriesOf({ access = [], classes = [] }: AccessDocument): readonly OwnerEntry[] {
  const collect = (place: string, given: TargetConditions, conditions: readonly TargetConditions[]) =>
    ownerFields.flatMap((field) =>
      (given[field] ?? []).flatMap((entry): OwnerEntry[] => {
        const placeholder = parsePlaceholder(entry)?.placeholder;
        return placeholder ? [{ place: `${place}.${field}`, field, entry, placeholder, conditions }] : [];
      }),
    );
  return [
    ...access.flatMap(({ which }, index) => collect(`access.${index}.which`, which, [which])),
    ...classes.flatMap(({ machines, own }, index) => collect(`classes.${index}.own`, own, [machines, own])),
  ];
}

/** Whether two entries can match one machine, as far as the conditions beside them tell. */
function canMeet(a: OwnerEntry, b: OwnerEntry): boolean {
  return !a.conditions.some((one) => b.conditions.some((other) => excludeEachOther(one, other)));
}

/** A machine has one cluster, one node, one type and at most one pool. */
function excludeEachOther(a: TargetConditions, b: TargetConditions): boolean {
  return (['clusters', 'nodes', 'pools', 'types'] as const).some((field) => {
    const [left, right] = [a[field], b[field]] as readonly (readonly string[] | undefined)[];
    if (!left || !right || [...left, ...right].some((entry) => parsePlaceholder(entry))) return false;
    return !left.some((value) => right.includes(value));
  });
}

/** Users, or groups, of the users file who share a machine by two entries. */
function examplesAmong(users: readonly KnownUser[], a: OwnerEntry, b: OwnerEntry): readonly string[] {
  const names = [
    ...new Set(users.flatMap(({ name, groups }) => (a.placeholder === 'user' ? [name] : groups))),
  ];
  const options = ownerOptions[a.field];
  const stepsOfB = names.map((name) => ({ name, steps: stepsOf(b.entry, options, name) }));
  const examples: string[] = [];
  for (const name of names) {
    const steps = stepsOf(a.entry, options, name);
    for (const other of stepsOfB) {
      if (examples.length >= maxExamples) return examples;
      const text = other.name === name ? undefined : findCommonText(steps, other.steps);
      if (text !== undefined) examples.push(`"${name}" and "${other.name}" share "${text}"`);
    }
  }
  return examples;
}

const fieldNouns = { names: 'machine', tags: 'tag', pools: 'pool' } as const;

function describe(a: OwnerEntry, b: OwnerEntry, shared: string, examples: readonly string[]): string {
  const options = ownerOptions[a.field];
  const [ownerA, ownerB] = [a, b].map(({ entry }) => compileOwnerPattern(entry, options)?.ownerOf(shared));
  const noun = fieldNouns[a.field];
  const text = `"${a.entry}" in ${a.place} and "${b.entry}" in ${b.place} overlap: ${noun} "${shared}" would belong to the ${a.placeholder}s "${ownerA}" and "${ownerB}"`;
  return examples.length === 0 ? text : `${text}; in the users file, ${examples.join(', ')}`;
}

/** Users whose own tag or pool is one that a rule names for another purpose. */
function findReservedOwners(
  { access = [], classes = [] }: AccessDocument,
  entries: readonly OwnerEntry[],
  users: readonly KnownUser[],
): readonly string[] {
  const conditions = [
    ...access.map(({ which }) => which),
    ...classes.flatMap(({ machines, own }) => [machines, own as TargetConditions]),
  ];
  return (['tags', 'pools'] as const).flatMap((field) => {
    const literals = new Set(
      conditions.flatMap((one) => one[field] ?? []).filter((entry) => !parsePlaceholder(entry)),
    );
    return entries.flatMap((one) => {
      const pattern =
        one.field === field && one.placeholder === 'user'
          ? compileOwnerPattern(one.entry, ownerOptions[field])
          : undefined;
      return [...literals].flatMap((literal) =>
        users.flatMap(({ name }) =>
          pattern?.matches(literal, { user: name, groups: [] })
            ? [
                `"${one.entry}" in ${one.place} gives user "${name}" all machines with the ${fieldNouns[field]} "${literal}", which another rule names`,
              ]
            : [],
        ),
      );
    });
  });
}
