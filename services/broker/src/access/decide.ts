import { rights, type AccessDocument, type Right } from '@porthole/shared/config/access-schema';
import type { ConsoleMode } from '@porthole/shared/grant/claims';
import {
  compileAccess,
  type CompiledClass,
  type CompiledRule,
  type MismatchReason,
  type Subject,
  type Target,
} from './compile.ts';
import {
  isAtLeastAsPermissive,
  policyOf,
  mostPermissive,
  type DefaultLimits,
  type SessionPolicy,
} from './session-policy.ts';

/** What a console is opened as: a terminal is a right of its own, in either mode. */
export type AccessMode = ConsoleMode | 'terminal';

export type { PermissionBoundary as AtMost, Subject, Target } from './compile.ts';

/** What somebody may do with a machine now. */
export interface Decision {
  /** Nothing at all: not even to know that the machine exists. */
  readonly allow: readonly Right[];
  /** How such a console would be; undefined when it may not be opened. */
  policyFor(opening: AccessMode): SessionPolicy | undefined;
  /**
   * Until when such a console may stay as it is: the first minute in which the rules would give less than
   * they give now. Undefined: longer than any console lasts.
   */
  validUntil(opening: AccessMode): number | undefined;
  /** The names of the rules that give a right. */
  rulesGranting(right: Right): readonly string[];
}

/** A decision with what each rule has to do with it. */
export interface Explanation {
  readonly decision: Decision;
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedRule {
  readonly place: string;
  readonly name: string;
  /** What it would give or gives. */
  readonly grants: readonly Right[];
  /** Why it gives nothing; undefined when it does. */
  readonly mismatch?: MismatchReason;
}

export interface Access {
  decide(subject: Subject, target: Target): Decision;
  /** Decides in the same way, at any time, and says why. */
  explain(subject: Subject, target: Target, at?: number): Explanation;
  readonly classes: readonly CompiledClass[];
  /** Whether somebody may look on or end at some machine, should there be one. */
  managesSessions(subject: Subject): boolean;
  /** What somebody may do with all machines there are, now: such a right reaches beyond machines, to who uses them. */
  globalRights(subject: Subject): ReadonlySet<Right>;
  /** How many rules and classes there are. */
  readonly size: { readonly rules: number; readonly classes: number };
}

export type Decide = Access['decide'];

const minuteMs = 60_000;

export const rightsThatOpen: Readonly<Record<AccessMode, readonly Right[]>> = {
  view: ['view', 'watch'],
  control: ['control'],
  terminal: ['terminal'],
};

/**
 * Access is the union of what the rules grant; no rule takes anything away, so their order does not matter and
 * whoever grants nothing gives nothing. Why: docs/decisions/0003-access-rules-are-a-union.md.
 */
export function createAccess(
  document: AccessDocument,
  deps: { readonly limits: DefaultLimits; readonly now: () => number },
): Access {
  const { limits, now } = deps;
  const { rules, classes } = compileAccess(document);
  const applicableRules = createApplicableRules(rules);

  /** Rules that fit the machine, whatever the time. */
  const fitting = (candidates: readonly CompiledRule[], subject: Subject, target: Target) =>
    candidates.filter((rule) => rule.mismatch(subject, target) === undefined);

  return {
    decide(subject, target) {
      const at = now();
      const granting = fitting(applicableRules(subject, at), subject, target);
      return decisionOf(granting, {
        at,
        limits,
        atAnyTime: () => fitting(rulesFor(subject), subject, target),
      });
    },
    explain(subject, target, at = now()) {
      const judged = rules.map((rule) => ({ rule, miss: mismatchOf(rule, subject, target, at) }));
      const granting = judged.flatMap(({ rule, miss }) => (miss ? [] : [rule]));
      return {
        decision: decisionOf(granting, {
          at,
          limits,
          atAnyTime: () => fitting(rulesFor(subject), subject, target),
        }),
        rules: judged.map(({ rule: { place, name, grants }, miss }) => ({
          place,
          name,
          grants: inOrder(grants),
          ...(miss ? { mismatch: miss } : {}),
        })),
      };
    },
    classes,
    managesSessions: (subject) =>
      applicableRules(subject, now()).some(({ grants }) => grants.has('watch') || grants.has('end')),
    globalRights: (subject) =>
      new Set(applicableRules(subject, now()).flatMap((rule) => (rule.isGlobal ? [...rule.grants] : []))),
    size: { rules: document.access?.length ?? 0, classes: classes.length },
  };

  function rulesFor(subject: Subject): readonly CompiledRule[] {
    return rules.filter((rule) => rule.appliesTo(subject));
  }
}

function mismatchOf(
  rule: CompiledRule,
  subject: Subject,
  target: Target,
  at: number,
): MismatchReason | undefined {
  if (!rule.appliesTo(subject)) return 'who';
  return rule.mismatch(subject, target) ?? (isOpen(rule, at) ? undefined : 'when');
}

const isOpen = ({ isOpen: open }: CompiledRule, at: number) => open === undefined || open(at);

/**
 * The rules that are for somebody and open now. A list of machines asks a thousand times in a row for the same
 * person; windows open and close on the minute.
 */
function createApplicableRules(rules: readonly CompiledRule[]) {
  let last: { subject: Subject; minute: number; rules: readonly CompiledRule[] } | undefined;
  return (subject: Subject, at: number) => {
    const minute = Math.floor(at / minuteMs);
    if (last?.subject !== subject || last.minute !== minute)
      last = {
        subject,
        minute,
        rules: rules.filter((rule) => isOpen(rule, at) && rule.appliesTo(subject)),
      };
    return last.rules;
  };
}

function decisionOf(
  granting: readonly CompiledRule[],
  deps: {
    readonly at: number;
    readonly limits: DefaultLimits;
    /** Also those of another time. */
    readonly atAnyTime: () => readonly CompiledRule[];
  },
): Decision {
  const { at, limits } = deps;
  const allow = inOrder(new Set(granting.flatMap(({ grants }) => [...grants])));
  const opens = (rule: CompiledRule, opening: AccessMode) =>
    rightsThatOpen[opening].some((right) => rule.grants.has(right));
  const termsIn = (candidates: readonly CompiledRule[]): SessionPolicy | undefined => {
    const [first, ...more] = candidates.map((rule) => policyOf(rule, limits));
    return first && more.reduce(mostPermissive, first);
  };
  const terms = (opening: AccessMode) => termsIn(granting.filter((rule) => opens(rule, opening)));

  return {
    allow,
    policyFor: terms,
    validUntil(opening) {
      const given = terms(opening);
      if (!given) return at;
      const candidates = deps.atAnyTime().filter((rule) => opens(rule, opening));
      return firstStricterMinute(candidates, at, at + given.maxSessionSeconds * 1000, (open) => {
        const then = termsIn(open);
        return then === undefined || !isAtLeastAsPermissive(given, then);
      });
    },
    rulesGranting: (right) => granting.filter(({ grants }) => grants.has(right)).map(({ name }) => name),
  };
}

/** Minute by minute, as windows may close at any; the answer is asked for only when another set of rules is open. */
function firstStricterMinute(
  rules: readonly CompiledRule[],
  from: number,
  to: number,
  isNarrower: (open: readonly CompiledRule[]) => boolean,
): number | undefined {
  if (rules.every((rule) => rule.isOpen === undefined)) return undefined;
  let before = '';
  for (let at = from; at < to; at = (Math.floor(at / minuteMs) + 1) * minuteMs) {
    const open = rules.filter((rule) => isOpen(rule, at));
    const which = open.map(({ place }) => place).join(' ');
    if (which === before) continue;
    before = which;
    if (isNarrower(open)) return at;
  }
  return undefined;
}

function inOrder(found: ReadonlySet<Right>): readonly Right[] {
  return rights.filter((right) => found.has(right));
}
