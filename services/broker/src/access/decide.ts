import type { AccessRule } from '@porthole/shared/config/access-schema';
import { compileNamePattern } from './name-pattern.ts';

/** What rules look at in a person. */
export interface Subject {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What rules look at in a machine. */
export interface Target {
  readonly cluster: string;
  readonly node: string;
  readonly vmid: number;
  readonly name: string | undefined;
  readonly pool: string | undefined;
  readonly tags: readonly string[];
}

/** What a rule gives. `control` includes `view`; `terminal` is neither, and neither includes it. */
export type Right = AccessRule['allow'][number];

/** What this person may do with this machine, in this order: view, control, terminal. */
export type Decide = (subject: Subject, target: Target) => readonly Right[];

/** Rights as bits, and what each sum of them means. */
const bits: Readonly<Record<Right, number>> = { view: 1, control: 3, terminal: 4 };
const sums: readonly (readonly Right[])[] = Array.from({ length: 8 }, (_, sum) =>
  (['view', 'control', 'terminal'] as const).filter((right) => (sum & bits[right]) === bits[right]),
);

/**
 * Access is the union of what the rules grant; no rule takes anything away, so their order does not matter and
 * whoever grants nothing gives nothing. Why: docs/decisions/0003-access-rules-are-a-union.md.
 */
export function createDecide(rules: readonly AccessRule[]): Decide {
  const compiled = rules.map((rule) => ({
    isFor: compileWho(rule.who),
    covers: compileWhich(rule.which),
    gives: rule.allow.reduce((sum, right) => sum | bits[right], 0),
  }));

  return (subject, target) => {
    let sum = 0;
    for (const rule of compiled) {
      // What is known already needs no second rule: a rule for view adds nothing to view.
      if ((sum | rule.gives) === sum) continue;
      if (rule.isFor(subject) && rule.covers(subject, target)) sum |= rule.gives;
    }
    return sums[sum] ?? [];
  };
}

/** Any of the ways to be named is enough. */
function compileWho(who: AccessRule['who']): (subject: Subject) => boolean {
  const users = new Set(who.users);
  const groups = new Set(who.groups);
  return ({ name, groups: mine }) =>
    who.everyone === true || users.has(name) || mine.some((group) => groups.has(group));
}

/** A machine must match every field that is given, and any one entry of each. `all` demands nothing. */
function compileWhich(which: AccessRule['which']): (subject: Subject, target: Target) => boolean {
  const demands: ((target: Target, subject: Subject) => boolean)[] = [];
  const oneOf = (names: readonly string[] | undefined, values: (target: Target) => readonly string[]) => {
    if (!names) return;
    const wanted = new Set(names);
    demands.push((target) => values(target).some((value) => wanted.has(value)));
  };
  oneOf(which.clusters, ({ cluster }) => [cluster]);
  oneOf(which.nodes, ({ node }) => [node]);
  oneOf(which.pools, ({ pool }) => (pool === undefined ? [] : [pool]));
  oneOf(which.tags, ({ tags }) => tags);
  if (which.vmids) {
    const ranges = which.vmids.map(vmidRange);
    demands.push(({ vmid }) => ranges.some(({ from, to }) => vmid >= from && vmid <= to));
  }
  if (which.names) {
    const patterns = which.names.map(compileNamePattern);
    demands.push(({ name }, subject) =>
      name === undefined ? false : patterns.some((matches) => matches(name, subject.name)),
    );
  }
  // The schema demands one field or `all`. Should neither be there, the rule covers nothing rather than everything.
  if (demands.length === 0 && which.all !== true) return () => false;
  return (subject, target) => demands.every((demand) => demand(target, subject));
}

/** One vmid, or both ends of a range such as "200-299". */
export function vmidRange(entry: number | string): { readonly from: number; readonly to: number } {
  if (typeof entry === 'number') return { from: entry, to: entry };
  const [from, to] = entry.split('-').map(Number);
  return { from: from ?? Number.NaN, to: to ?? Number.NaN };
}
