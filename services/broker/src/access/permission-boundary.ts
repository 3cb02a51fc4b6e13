import type { AccessDocument, Right } from '@porthole/shared/config/access-schema';
import { rightsThatOpen, type Access, type Decision, type Subject, type Target } from './decide.ts';

/** Without rules, whoever signed in where something else has a say gets what that gives. */
export const defaultWithinBoundary: AccessDocument = {
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
const nodeRights: ReadonlySet<Right> = new Set(['terminal', 'end', 'explain']);

/**
 * Rules only ever add. Whoever signed in with an account of Proxmox, though, gets nothing that Proxmox does not give that
 * account: their `atMost` cuts what the rules say. `instead`: the rules for them, where they are others. And nobody
 * gets more of a node than there is of it.
 */
export function withPermissionBoundaries(access: Access, accessWithBoundary: Access = access): Access {
  const rulesFor = (subject: Subject) => (subject.permissionBoundary ? accessWithBoundary : access);
  return {
    ...access,
    decide(subject, target) {
      return applyBoundaries(subject, target, rulesFor(subject).decide(subject, target));
    },
    explain(subject, target, at) {
      const explanation = rulesFor(subject).explain(subject, target, at);
      return { ...explanation, decision: applyBoundaries(subject, target, explanation.decision) };
    },
    managesSessions: (subject) => rulesFor(subject).managesSessions(subject),
    // What else has a say speaks of machines, never of all of them.
    globalRights: (subject) => (subject.permissionBoundary ? new Set() : access.globalRights(subject)),
  };
}

function applyBoundaries(subject: Subject, target: Target, decision: Decision): Decision {
  const less = subject.permissionBoundary
    ? intersect(decision, subject.permissionBoundary(target))
    : decision;
  return target.type === 'node' ? intersect(less, nodeRights) : less;
}

function intersect(decision: Decision, most: ReadonlySet<Right>): Decision {
  const allow = decision.allow.filter((right) => most.has(right));
  const opens = (mode: keyof typeof rightsThatOpen) =>
    rightsThatOpen[mode].some((right) => allow.includes(right));
  return {
    ...decision,
    allow,
    policyFor: (mode) => (opens(mode) ? decision.policyFor(mode) : undefined),
    rulesGranting: (right) => (allow.includes(right) ? decision.rulesGranting(right) : []),
  };
}
