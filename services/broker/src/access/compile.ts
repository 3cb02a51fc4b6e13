import type { AccessClass, AccessDocument, AccessRule, Right } from '@porthole/shared/config/access-schema';
import type { MachineType } from '@porthole/shared/grant/claims';
import { compileNamePattern } from './name-pattern.ts';
import { compileTimeWindows, type IsOpenAt } from './time-windows.ts';

/** What rules look at in whoever asks. */
export interface Subject {
  readonly name: string;
  readonly groups: readonly string[];
  /** What the sign-in said of them, by name of the claim. */
  readonly claims?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Default: a person. */
  readonly kind?: 'person' | 'program' | undefined;
  /** Whatever rules give, they get no more than this: somebody else has a say, see at-most.ts. */
  readonly permissionBoundary?: PermissionBoundary | undefined;
}

export type PermissionBoundary = (target: Target) => ReadonlySet<Right>;

/** What rules look at in a machine, or in a node. */
export interface Target {
  readonly cluster: string;
  readonly node: string;
  readonly type: MachineType;
  readonly vmid: number;
  readonly name: string | undefined;
  readonly pool: string | undefined;
  readonly tags: readonly string[];
}

/** Why a rule gives nothing: the first of these that does not fit. */
export type MismatchReason =
  'who' | 'when' | 'clusters' | 'nodes' | 'pools' | 'tags' | 'types' | 'vmids' | 'names' | 'own';

type Which = AccessRule['which'];

/** A rule, or one side of a class, as it is decided by. */
export interface CompiledRule {
  /** Where it stands: `access.3`, `classes.0.members`. */
  readonly place: string;
  readonly name: string;
  readonly grants: ReadonlySet<Right>;
  readonly policy: Pick<AccessRule, 'clipboard' | 'limits'>;
  /** It covers all machines, `all: true` and nothing beside it: what it gives counts for Porthole as a whole. */
  readonly isGlobal: boolean;
  appliesTo(subject: Subject): boolean;
  /** Undefined: always. */
  readonly isOpen: IsOpenAt | undefined;
  /** What of the machine does not fit; undefined when everything does. */
  mismatch(subject: Subject, target: Target): MismatchReason | undefined;
}

/** A class, by those who teach it. */
export interface CompiledClass {
  readonly name: string;
  readonly title: string;
  hasInstructor(subject: Subject): boolean;
  hasMachine(target: Target): boolean;
}

export interface CompiledAccess {
  readonly rules: readonly CompiledRule[];
  readonly classes: readonly CompiledClass[];
}

export function compileAccess({ access = [], classes = [] }: AccessDocument): CompiledAccess {
  return {
    rules: [...access.map(compileRule), ...classes.flatMap(compileClassRules)],
    classes: classes.map(compileClass),
  };
}

function compileRule(rule: AccessRule, index: number): CompiledRule {
  const { who, which, allow, when, clipboard, limits } = rule;
  const place = `access.${index}`;
  return {
    place,
    name: rule.name ?? place,
    grants: withImpliedRights(allow),
    policy: { clipboard, limits },
    isGlobal: which.all === true && Object.keys(which).length === 1,
    appliesTo: compileSubjectMatcher(who),
    isOpen: compileTimeWindows(when),
    mismatch: compileTargetMatcher(which, who.groups),
  };
}

/** A class is two rules: one for its members and their own machines, one for its instructors and all machines. */
function compileClassRules(given: AccessClass, index: number): readonly CompiledRule[] {
  const { name, members, instructors, machines, own, allow, when, clipboard, limits } = given;
  const isOfClass = compileTargetMatcher(machines);
  const isOwn = compileTargetMatcher({ names: own }, members.groups);
  const rules: CompiledRule[] = [
    {
      place: `classes.${index}.members`,
      name: `${name} (members)`,
      grants: withImpliedRights(allow),
      policy: { clipboard, limits },
      isGlobal: false,
      appliesTo: compileSubjectMatcher(members),
      isOpen: compileTimeWindows(when),
      mismatch: (subject, target) =>
        isOfClass(subject, target) ?? (isOwn(subject, target) ? 'own' : undefined),
    },
  ];
  if (instructors)
    rules.push({
      place: `classes.${index}.instructors`,
      name: `${name} (instructors)`,
      // What members may do with their machines, whoever teaches them may do for them.
      grants: withImpliedRights([...allow, 'watch', 'control', 'end']),
      policy: {},
      isGlobal: false,
      appliesTo: compileSubjectMatcher(instructors),
      isOpen: undefined,
      mismatch: isOfClass,
    });
  return rules;
}

function compileClass({ name, title, instructors, machines }: AccessClass): CompiledClass {
  const missOf = compileTargetMatcher(machines);
  const nobody: Subject = { name: '', groups: [] };
  return {
    name,
    title: title ?? name,
    hasInstructor: instructors ? compileSubjectMatcher(instructors) : () => false,
    // The schema keeps {user} and {group} out of the machines of a class, so it does not matter who asks.
    hasMachine: (target) => missOf(nobody, target) === undefined,
  };
}

/** Nobody who may type into a machine is kept from looking at it. */
function withImpliedRights(allow: readonly Right[]): ReadonlySet<Right> {
  return new Set(allow.includes('control') ? ['view', ...allow] : allow);
}

/** Any of the ways to be named is enough. A program is nobody but itself: `everyone` means people. */
function compileSubjectMatcher(who: AccessRule['who']): (subject: Subject) => boolean {
  const users = new Set(who.users);
  const groups = new Set(who.groups);
  const programs = new Set(who.programs);
  const claims = Object.entries(who.claims ?? {}).map(([name, values]) => [name, new Set(values)] as const);
  return (subject) => {
    if (subject.kind === 'program') return programs.has(subject.name);
    return (
      who.everyone === true ||
      users.has(subject.name) ||
      subject.groups.some((group) => groups.has(group)) ||
      claims.some(([name, values]) => claimOf(subject, name).some((value) => values.has(value)))
    );
  };
}

function claimOf({ claims = {} }: Subject, name: string): readonly string[] {
  return (Object.hasOwn(claims, name) ? claims[name] : undefined) ?? [];
}

/**
 * A machine must match every field that is given, and any one entry of each. `all` demands nothing. `{group}` is any
 * of the person's groups; in a rule that names groups, any of these that the person is in. A node is no machine unless
 * `types` says so: `all` and name patterns were written about guests.
 */
function compileTargetMatcher(
  which: Which,
  named?: readonly string[],
): (subject: Subject, target: Target) => MismatchReason | undefined {
  const demands: { readonly miss: MismatchReason; fits(target: Target, subject: Subject): boolean }[] = [];
  const oneOf = (
    miss: 'clusters' | 'nodes' | 'pools' | 'tags' | 'types',
    values: (target: Target) => readonly string[],
  ) => {
    if (!which[miss]) return;
    const wanted = new Set<string>(which[miss]);
    demands.push({ miss, fits: (target) => values(target).some((value) => wanted.has(value)) });
  };
  oneOf('clusters', ({ cluster }) => [cluster]);
  oneOf('nodes', ({ node }) => [node]);
  oneOf('pools', ({ pool }) => (pool === undefined ? [] : [pool]));
  oneOf('tags', ({ tags }) => tags);
  oneOf('types', ({ type }) => [type]);
  if (which.vmids) {
    const ranges = which.vmids.map(parseVmidRange);
    demands.push({
      miss: 'vmids',
      fits: ({ vmid }) => ranges.some(({ from, to }) => vmid >= from && vmid <= to),
    });
  }
  if (which.names) {
    const patterns = which.names.map(compileNamePattern);
    const namedGroups = named && new Set(named);
    demands.push({
      miss: 'names',
      fits({ name }, subject) {
        if (name === undefined) return false;
        const groups = namedGroups
          ? subject.groups.filter((group) => namedGroups.has(group))
          : subject.groups;
        return patterns.some((matches) => matches(name, { user: subject.name, groups }));
      },
    });
  }
  // The schema demands one field or `all`. Should neither be there, the rule covers nothing rather than everything.
  if (demands.length === 0 && which.all !== true) return () => 'names';
  if (!which.types) demands.push({ miss: 'types', fits: ({ type }) => type !== 'node' });
  return (subject, target) => demands.find(({ fits }) => !fits(target, subject))?.miss;
}

/** One vmid, or both ends of a range such as "200-299". */
export function parseVmidRange(entry: number | string): { readonly from: number; readonly to: number } {
  if (typeof entry === 'number') return { from: entry, to: entry };
  const [from, to] = entry.split('-').map(Number);
  return { from: from ?? Number.NaN, to: to ?? Number.NaN };
}
