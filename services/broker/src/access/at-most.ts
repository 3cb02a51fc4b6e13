import type { AccessDocument } from '@porthole/shared/config/access-schema';
import { opensBy, type Access, type Decision, type Subject } from './decide.ts';

/** Without rules, whoever signed in where something else has a say gets what that gives. */
export const whateverElseGives: AccessDocument = {
  access: [
    {
      name: 'default',
      who: { everyone: true },
      which: { all: true },
      allow: ['control', 'terminal', 'power'],
    },
  ],
};

/**
 * Rules only ever add. Whoever signed in with an account of Proxmox, though, gets nothing that Proxmox does not give that
 * account: their `atMost` cuts what the rules say. `instead`: the rules for them, where they are others.
 */
export function atMostOf(access: Access, instead: Access = access): Access {
  const rulesFor = (subject: Subject) => (subject.atMost ? instead : access);
  return {
    ...access,
    decide(subject, target) {
      const decision = rulesFor(subject).decide(subject, target);
      return subject.atMost ? cut(decision, subject.atMost(target)) : decision;
    },
    explain(subject, target, at) {
      const explanation = rulesFor(subject).explain(subject, target, at);
      if (!subject.atMost) return explanation;
      return { ...explanation, decision: cut(explanation.decision, subject.atMost(target)) };
    },
    oversees: (subject) => rulesFor(subject).oversees(subject),
  };
}

function cut(decision: Decision, most: ReturnType<NonNullable<Subject['atMost']>>): Decision {
  const allow = decision.allow.filter((right) => most.has(right));
  const opens = (mode: keyof typeof opensBy) => opensBy[mode].some((right) => allow.includes(right));
  return {
    ...decision,
    allow,
    terms: (mode) => (opens(mode) ? decision.terms(mode) : undefined),
    rulesFor: (right) => (allow.includes(right) ? decision.rulesFor(right) : []),
  };
}
