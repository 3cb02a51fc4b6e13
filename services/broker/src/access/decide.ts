import type { AccessDocument, Right } from '@porthole/shared/config/access-schema';
import { compileAccess, type CompiledClass, type CompiledRule } from './compile.ts';
import { createDecision, isOpenAt, sortRights, type Decision } from './decision.ts';
import type { MismatchReason } from './match-target.ts';
import type { DefaultLimits } from './session-policy.ts';
import type { Subject, Target } from './subject.ts';

/** A decision, and how each rule contributes to it. */
export interface Explanation {
  readonly decision: Decision;
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedRule {
  readonly place: string;
  readonly name: string;
  /** The rights that the rule gives, or would give if it applied. */
  readonly grants: readonly Right[];
  /** Why the rule does not apply. Undefined if it does. */
  readonly mismatch?: MismatchReason;
}

/** Access rules in force. */
export interface Access {
  decide(subject: Subject, target: Target): Decision;
  /** Makes the same decision as `decide`, for any time, with reasons. */
  explain(subject: Subject, target: Target, at?: number): Explanation;
  readonly classes: readonly CompiledClass[];
  /** Whether a rule gives the subject `watch` or `end` on any machine. */
  managesSessions(subject: Subject): boolean;
  /** Whether a rule or a class lets the subject see any recordings of consoles. */
  seesRecordings(subject: Subject): boolean;
  /** Rights that the subject has now on all machines, by a rule of `all: true` and no other field. */
  globalRights(subject: Subject): ReadonlySet<Right>;
  readonly size: { readonly rules: number; readonly classes: number };
}

export type Decide = Access['decide'];

const minuteMs = 60_000;

/**
 * Access is the union of what the rules give: no rule takes anything away, so their order does not matter. See
 * docs/decisions/0003-access-rules-are-a-union.md.
 */
export function createAccess(
  document: AccessDocument,
  deps: { readonly limits: DefaultLimits; readonly now: () => number },
): Access {
  const { limits, now } = deps;
  const { rules, classes } = compileAccess(document);
  const applicableRules = createApplicableRules(rules);

  const matching = (candidates: readonly CompiledRule[], subject: Subject, target: Target) =>
    candidates.filter((rule) => rule.mismatch(subject, target) === undefined);
  const matchingAtAnyTime = (subject: Subject, target: Target) => () =>
    matching(
      rules.filter((rule) => rule.appliesTo(subject)),
      subject,
      target,
    );

  return {
    decide(subject, target) {
      const at = now();
      return createDecision(matching(applicableRules(subject, at), subject, target), {
        at,
        limits,
        atAnyTime: matchingAtAnyTime(subject, target),
      });
    },
    explain(subject, target, at = now()) {
      const judged = rules.map((rule) => ({ rule, mismatch: mismatchOf(rule, subject, target, at) }));
      const granting = judged.flatMap(({ rule, mismatch }) => (mismatch ? [] : [rule]));
      return {
        decision: createDecision(granting, { at, limits, atAnyTime: matchingAtAnyTime(subject, target) }),
        rules: judged.map(({ rule: { place, name, grants }, mismatch }) => ({
          place,
          name,
          grants: sortRights(grants),
          ...(mismatch ? { mismatch } : {}),
        })),
      };
    },
    classes,
    managesSessions: (subject) =>
      applicableRules(subject, now()).some(({ grants }) => grants.has('watch') || grants.has('end')),
    seesRecordings: (subject) =>
      applicableRules(subject, now()).some(({ grants }) => grants.has('recordings')) ||
      classes.some((one) => one.instructorsSeeRecordings && one.hasInstructor(subject)),
    globalRights: (subject) =>
      new Set(applicableRules(subject, now()).flatMap((rule) => (rule.isGlobal ? [...rule.grants] : []))),
    size: { rules: document.access?.length ?? 0, classes: classes.length },
  };
}

function mismatchOf(
  rule: CompiledRule,
  subject: Subject,
  target: Target,
  at: number,
): MismatchReason | undefined {
  if (!rule.appliesTo(subject)) return 'who';
  return rule.mismatch(subject, target) ?? (isOpenAt(rule, at) ? undefined : 'when');
}

/**
 * Finds the open rules that apply to a subject. Keeps the last result: a machine list makes a thousand decisions in a row
 * for one subject, and windows open and close on minutes.
 */
function createApplicableRules(rules: readonly CompiledRule[]) {
  let last: { subject: Subject; minute: number; rules: readonly CompiledRule[] } | undefined;
  return (subject: Subject, at: number) => {
    const minute = Math.floor(at / minuteMs);
    if (last?.subject !== subject || last.minute !== minute)
      last = {
        subject,
        minute,
        rules: rules.filter((rule) => isOpenAt(rule, at) && rule.appliesTo(subject)),
      };
    return last.rules;
  };
}
