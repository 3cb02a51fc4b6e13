import type { AccessDocument, Right } from '@porthole/shared/config/access-schema';
import { opensBy, type Access, type Decision, type Subject, type Target } from './decide.ts';

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

/** Of a node there is its shell, and nothing to see, to switch or to paste into. */
const ofNodes: ReadonlySet<Right> = new Set(['terminal', 'end', 'explain']);

/**
 * Rules only ever add. Whoever signed in with an account of Proxmox, though, gets nothing that Proxmox does not give that
 * account: their `atMost` cuts what the rules say. `instead`: the rules for them, where they are others. And nobody
 * gets more of a node than there is of it.
 */
export function atMostOf(access: Access, instead: Access = access): Access {
  const rulesFor = (subject: Subject) => (subject.atMost ? instead : access);
  return {
    ...access,
    decide(subject, target) {
      return cutFor(subject, target, rulesFor(subject).decide(subject, target));
    },
    explain(subject, target, at) {
      const explanation = rulesFor(subject).explain(subject, target, at);
      return { ...explanation, decision: cutFor(subject, target, explanation.decision) };
    },
    oversees: (subject) => rulesFor(subject).oversees(subject),
  };
}

function cutFor(subject: Subject, target: Target, decision: Decision): Decision {
  const less = subject.atMost ? cut(decision, subject.atMost(target)) : decision;
  return target.type === 'node' ? cut(less, ofNodes) : less;
}

function cut(decision: Decision, most: ReadonlySet<Right>): Decision {
  const allow = decision.allow.filter((right) => most.has(right));
  const opens = (mode: keyof typeof opensBy) => opensBy[mode].some((right) => allow.includes(right));
  return {
    ...decision,
    allow,
    terms: (mode) => (opens(mode) ? decision.terms(mode) : undefined),
    rulesFor: (right) => (allow.includes(right) ? decision.rulesFor(right) : []),
  };
}
