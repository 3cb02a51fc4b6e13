import type { AccessRule } from '@porthole/shared/config/access-schema';
import { parsePlaceholder } from '@porthole/shared/config/placeholder';
import { compileNamePattern } from './name-pattern.ts';
import { compileOwnerPattern, ownerOptions, type OwnerNames } from './owner-pattern.ts';
import type { Subject, Target } from './subject.ts';

/** Why a rule does not apply: the first of its conditions that is not met. */
export type MismatchReason =
  'who' | 'when' | 'clusters' | 'nodes' | 'pools' | 'tags' | 'types' | 'vmids' | 'names' | 'own';

/** Says which condition a target does not meet. Undefined if it meets all. */
export type TargetMatcher = (subject: Subject, target: Target) => MismatchReason | undefined;

/** Conditions on a target, as `which` of a rule or `own` of a class states them. */
export type TargetConditions = AccessRule['which'];

interface Condition {
  readonly reason: MismatchReason;
  isMet(target: Target, subject: Subject): boolean;
}

/**
 * A target must meet every given field, with one entry of each. `{group}` is a group of the subject; in a rule that names
 * groups, one of the named groups. Nodes match only if `types` lists them: `all` and name patterns are about guests.
 */
export function compileTargetMatcher(
  given: TargetConditions,
  namedGroups?: readonly string[],
): TargetMatcher {
  const namesOf = compileOwnerNames(namedGroups);
  const conditions: Condition[] = [
    ...oneOf('clusters', given.clusters, ({ cluster }) => cluster),
    ...oneOf('nodes', given.nodes, ({ node }) => node),
    ...entryCondition('pools', given.pools, ({ pool }) => (pool === undefined ? [] : [pool]), namesOf),
    ...entryCondition('tags', given.tags, ({ tags }) => tags, namesOf),
    ...oneOf('types', given.types, ({ type }) => type),
    ...vmidCondition(given.vmids),
    ...nameCondition(given.names, namesOf),
  ];
  // The schema demands a field or `all`. If both are missing, the rule matches nothing rather than everything.
  if (conditions.length === 0 && given.all !== true) return () => 'names';
  if (!given.types) conditions.push({ reason: 'types', isMet: ({ type }) => type !== 'node' });
  return (subject, target) => conditions.find(({ isMet }) => !isMet(target, subject))?.reason;
}

function compileOwnerNames(namedGroups: readonly string[] | undefined): (subject: Subject) => OwnerNames {
  if (!namedGroups) return ({ name, groups }) => ({ user: name, groups });
  const named = new Set(namedGroups);
  return ({ name, groups }) => ({ user: name, groups: groups.filter((group) => named.has(group)) });
}

function oneOf(
  reason: 'clusters' | 'nodes' | 'types',
  wanted: readonly string[] | undefined,
  valueOf: (target: Target) => string,
): readonly Condition[] {
  if (!wanted) return [];
  const set = new Set(wanted);
  return [{ reason, isMet: (target) => set.has(valueOf(target)) }];
}

/** An entry is a whole tag or pool, or one with a placeholder. */
function entryCondition(
  reason: 'pools' | 'tags',
  entries: readonly string[] | undefined,
  valuesOf: (target: Target) => readonly string[],
  namesOf: (subject: Subject) => OwnerNames,
): readonly Condition[] {
  if (!entries) return [];
  const exact = new Set(entries.filter((entry) => !parsePlaceholder(entry)));
  const patterns = entries.flatMap((entry) => compileOwnerPattern(entry, ownerOptions[reason]) ?? []);
  return [
    {
      reason,
      isMet(target, subject) {
        const values = valuesOf(target);
        if (values.some((value) => exact.has(value))) return true;
        if (patterns.length === 0) return false;
        const names = namesOf(subject);
        return values.some((value) => patterns.some(({ matches }) => matches(value, names)));
      },
    },
  ];
}

function vmidCondition(vmids: TargetConditions['vmids']): readonly Condition[] {
  if (!vmids) return [];
  const ranges = vmids.map(parseVmidRange);
  return [
    { reason: 'vmids', isMet: ({ vmid }) => ranges.some(({ from, to }) => vmid >= from && vmid <= to) },
  ];
}

function nameCondition(
  names: TargetConditions['names'],
  namesOf: (subject: Subject) => OwnerNames,
): readonly Condition[] {
  if (!names) return [];
  const patterns = names.map(compileNamePattern);
  return [
    {
      reason: 'names',
      isMet({ name }, subject) {
        if (name === undefined) return false;
        const ownerNames = namesOf(subject);
        return patterns.some((matches) => matches(name, ownerNames));
      },
    },
  ];
}

/** Parses a vmid, or a range such as "200-299". */
export function parseVmidRange(entry: number | string): { readonly from: number; readonly to: number } {
  if (typeof entry === 'number') return { from: entry, to: entry };
  const [from, to] = entry.split('-').map(Number);
  return { from: from ?? Number.NaN, to: to ?? Number.NaN };
}
