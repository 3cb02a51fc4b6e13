import type { AccessDocument, Right } from '@porthole/shared/config/access-schema';
import type { Access } from './decide.ts';
import { rightsThatOpen, type AccessMode, type Decision } from './decision.ts';
import type { Subject, Target } from './subject.ts';

/** The rules for subjects with a permission boundary if the configuration has none: whatever the boundary permits. */
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

/** A node has a shell only: no screen, no power actions, no clipboard. */
const nodeRights: ReadonlySet<Right> = new Set(['terminal', 'end', 'explain', 'recordings']);

/**
 * Limits decisions to the subject's permission boundary, and decisions about nodes to the rights that nodes have. Rules
 * cannot do this, because they only add. `accessWithinBoundary` holds the rules for subjects with a boundary.
 */
export function withPermissionBoundaries(access: Access, accessWithinBoundary: Access = access): Access {
  const accessFor = (subject: Subject) => (subject.permissionBoundary ? accessWithinBoundary : access);
  return {
    ...access,
    decide(subject, target) {
      return applyBoundaries(subject, target, accessFor(subject).decide(subject, target));
    },
    explain(subject, target, at) {
      const explanation = accessFor(subject).explain(subject, target, at);
      return { ...explanation, decision: applyBoundaries(subject, target, explanation.decision) };
    },
    managesSessions: (subject) => accessFor(subject).managesSessions(subject),
    seesRecordings: (subject) => accessFor(subject).seesRecordings(subject),
    // A boundary is about single machines, so it never permits a right on all machines.
    globalRights: (subject) => (subject.permissionBoundary ? new Set() : access.globalRights(subject)),
  };
}

function applyBoundaries(subject: Subject, target: Target, decision: Decision): Decision {
  const { permissionBoundary } = subject;
  const limited = permissionBoundary ? intersect(decision, permissionBoundary(target)) : decision;
  return target.type === 'node' ? intersect(limited, nodeRights) : limited;
}

function intersect(decision: Decision, permitted: ReadonlySet<Right>): Decision {
  const allow = decision.allow.filter((right) => permitted.has(right));
  const opens = (mode: AccessMode) => rightsThatOpen[mode].some((right) => allow.includes(right));
  return {
    ...decision,
    allow,
    policyFor: (mode) => (opens(mode) ? decision.policyFor(mode) : undefined),
    rulesGranting: (right) => (allow.includes(right) ? decision.rulesGranting(right) : []),
  };
}
