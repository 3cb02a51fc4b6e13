import type { AccessClass, AccessDocument, AccessRule, Right } from '@porthole/shared/config/access-schema';
import { compileTargetMatcher, type TargetMatcher } from './match-target.ts';
import { compileOwnerPattern, ownerOptions } from './owner-pattern.ts';
import { nameRecordRule, type RecordPolicy } from './record-policy.ts';
import type { Subject, Target } from './subject.ts';
import { compileTimeWindows, type IsOpenAt } from './time-windows.ts';

/** Limits and conditions of the consoles that a rule gives. */
export interface RulePolicy extends Pick<AccessRule, 'clipboard' | 'limits'> {
  readonly record?: RecordPolicy | undefined;
}

/** A rule, or one of the two rules of a class, in the form in which decisions use it. */
export interface CompiledRule {
  /** Path in the document: `access.3`, `classes.0.members`. */
  readonly place: string;
  readonly name: string;
  readonly grants: ReadonlySet<Right>;
  readonly policy: RulePolicy;
  /** Whether it covers all machines, with `all: true` and no other field: then its rights apply to Porthole as a whole. */
  readonly isGlobal: boolean;
  appliesTo(subject: Subject): boolean;
  /** Undefined: always open. */
  readonly isOpen: IsOpenAt | undefined;
  readonly mismatch: TargetMatcher;
}

/** A class and the people in it. */
export interface CompiledClass {
  readonly name: string;
  readonly title: string;
  /** Whether it has instructors at all. */
  readonly isInstructed: boolean;
  hasInstructor(subject: Subject): boolean;
  /** Whether instructors see the recordings of consoles that were opened for the class. */
  readonly instructorsSeeRecordings: boolean;
  hasMember(subject: Subject): boolean;
  hasMachine(target: Target): boolean;
  /** Whether the target is one of the machines of the class that the member may open. */
  isMachineOf(subject: Subject, target: Target): boolean;
  /** The name of the one user for whom the machine is, if `own` says that by `{user}`. */
  ownerOf(target: Target): string | undefined;
  /** Whether there is a lesson. Undefined: the class has no time windows. */
  readonly isLesson: IsOpenAt | undefined;
  /** How long before and after its lessons machines are started and shut down. Undefined: they are not. */
  readonly timetable: { readonly startMinutes?: number; readonly shutdownMinutes?: number };
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
  const { who, which, allow, when, clipboard, limits, record } = rule;
  const place = `access.${index}`;
  const name = rule.name ?? place;
  return {
    place,
    name,
    grants: withImpliedRights(allow),
    policy: { clipboard, limits, record: nameRecordRule(record, { rule: name }) },
    isGlobal: which.all === true && Object.keys(which).length === 1,
    appliesTo: compileSubjectMatcher(who),
    isOpen: compileTimeWindows(when),
    mismatch: compileTargetMatcher(which, who.groups),
  };
}

/** A class is two rules: one for members and their own machines, one for instructors and all machines. */
function compileClassRules(given: AccessClass, index: number): readonly CompiledRule[] {
  const { name, members, instructors, machines, own, allow, when, clipboard, limits, record } = given;
  const machineMismatch = compileTargetMatcher(machines);
  const ownMismatch = compileTargetMatcher(own, members.groups);
  const memberRuleName = `${name} (members)`;
  const memberRule: CompiledRule = {
    place: `classes.${index}.members`,
    name: memberRuleName,
    grants: withImpliedRights(allow),
    policy: { clipboard, limits, record: nameRecordRule(record, { rule: memberRuleName, class: name }) },
    isGlobal: false,
    appliesTo: compileSubjectMatcher(members),
    isOpen: compileTimeWindows(when),
    mismatch: (subject, target) =>
      machineMismatch(subject, target) ?? (ownMismatch(subject, target) ? 'own' : undefined),
  };
  if (!instructors) return [memberRule];
  return [
    memberRule,
    {
      place: `classes.${index}.instructors`,
      name: `${name} (instructors)`,
      // Instructors may do on all machines what members may do on their own.
      grants: withImpliedRights([...allow, 'watch', 'control', 'end']),
      policy: {},
      isGlobal: false,
      appliesTo: compileSubjectMatcher(instructors),
      isOpen: undefined,
      mismatch: machineMismatch,
    },
  ];
}

function compileClass({
  name,
  title,
  members,
  instructors,
  machines,
  own,
  when,
  prepare,
  after,
  instructorsSeeRecordings,
}: AccessClass): CompiledClass {
  const mismatch = compileTargetMatcher(machines);
  const ownMismatch = compileTargetMatcher(own, members.groups);
  const hasMember = compileSubjectMatcher(members);
  // The schema permits no placeholder in the machines of a class, so the subject does not matter.
  const anySubject: Subject = { name: '', groups: [] };
  const hasMachine = (target: Target) => mismatch(anySubject, target) === undefined;
  return {
    name,
    title: title ?? name,
    isInstructed: instructors !== undefined,
    instructorsSeeRecordings: instructorsSeeRecordings === true,
    hasInstructor: instructors ? compileSubjectMatcher(instructors) : () => false,
    hasMember,
    hasMachine,
    isMachineOf: (subject, target) =>
      hasMember(subject) && hasMachine(target) && ownMismatch(subject, target) === undefined,
    ownerOf: compileOwner(own),
    isLesson: compileTimeWindows(when),
    timetable: { ...prepare, ...after },
  };
}

/** The owner that the first matching entry with `{user}` yields. */
function compileOwner(own: AccessClass['own']): (target: Target) => string | undefined {
  const { names, tags, pools }: Partial<Record<keyof typeof ownerOptions, readonly string[] | undefined>> =
    own;
  const patternsOf = (field: keyof typeof ownerOptions, entries: readonly string[] = []) =>
    entries
      .flatMap((entry) => compileOwnerPattern(entry, ownerOptions[field]) ?? [])
      .filter(({ placeholder }) => placeholder === 'user');
  const byField = [
    { patterns: patternsOf('names', names), textsOf: ({ name }: Target) => [name ?? []].flat() },
    { patterns: patternsOf('tags', tags), textsOf: (target: Target) => target.tags },
    { patterns: patternsOf('pools', pools), textsOf: ({ pool }: Target) => [pool ?? []].flat() },
  ];
  return (target) => {
    for (const { patterns, textsOf } of byField)
      for (const text of textsOf(target))
        for (const { ownerOf } of patterns) {
          const owner = ownerOf(text);
          if (owner !== undefined) return owner;
        }
    return undefined;
  };
}

/** `control` includes `view`. */
function withImpliedRights(allow: readonly Right[]): ReadonlySet<Right> {
  return new Set(allow.includes('control') ? ['view', ...allow] : allow);
}

/** One matching field is enough. Programs match only by name: `everyone`, users, groups and claims mean people. */
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
      claims.some(([name, values]) => claimValues(subject, name).some((value) => values.has(value)))
    );
  };
}

function claimValues({ claims = {} }: Subject, name: string): readonly string[] {
  return (Object.hasOwn(claims, name) ? claims[name] : undefined) ?? [];
}
