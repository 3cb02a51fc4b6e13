import * as fc from 'fast-check';
import { createAccess } from '@porthole/broker/access/decide';
import { isAtLeastAsPermissive } from '@porthole/broker/access/session-policy';
import type { Subject, Target } from '@porthole/broker/access/subject';
import { rights, type AccessDocument, type AccessRule } from '@porthole/shared/config/access-schema';
import { anyDocument, anyRule, anySubject, anyTarget, anyTime } from './arbitraries.ts';
import { limits, monday } from './fixtures.ts';
import { expectedRights } from './reference.ts';

const runs = { numRuns: 500 };

const at = (document: AccessDocument, now: number) => createAccess(document, { limits, now: () => now });
/** The values of a decision, for comparison. */
const seen = (document: AccessDocument, subject: Subject, target: Target, now: number) => {
  const { allow, policyFor, validUntil } = at(document, now).decide(subject, target);
  // A rule is named after its position, which says nothing about what it gives.
  const policies = [policyFor('view'), policyFor('control')].map((policy) => ({
    ...policy,
    record: policy?.record && { ...policy.record, rule: 'any' },
  }));
  return {
    allow,
    policies,
    until: [validUntil('view'), validUntil('control')],
  };
};

test('rules give exactly the union of what each rule gives', () => {
  const always = anyRule.map((rule): AccessRule => ({ ...rule, when: undefined }));
  fc.assert(
    fc.property(fc.array(always, { maxLength: 5 }), anySubject, anyTarget, (rules, subject, target) => {
      expect(at({ access: rules }, monday).decide(subject, target).allow).toEqual(
        expectedRights(rules, subject, target),
      );
    }),
    { numRuns: 1000 },
  );
});

test('the order of rules and classes does not matter', () => {
  fc.assert(
    fc.property(anyDocument, anySubject, anyTarget, anyTime, (document, subject, target, now) => {
      const { access = [], classes = [] } = document;
      const turned = { access: access.toReversed(), classes: classes.toReversed() };
      expect(seen(turned, subject, target, now)).toEqual(seen(document, subject, target, now));
    }),
    runs,
  );
});

test('another rule never takes away a right and never makes a session policy more restrictive', () => {
  fc.assert(
    fc.property(
      anyDocument,
      anyRule,
      anySubject,
      anyTarget,
      anyTime,
      (document, more, subject, target, now) => {
        const before = at(document, now).decide(subject, target);
        const after = at({ ...document, access: [more, ...(document.access ?? [])] }, now).decide(
          subject,
          target,
        );
        expect(after.allow).toEqual(expect.arrayContaining([...before.allow]));
        for (const mode of ['view', 'control'] as const) {
          const [was, is] = [before.policyFor(mode), after.policyFor(mode)];
          if (was) expect(is && isAtLeastAsPermissive(was, is)).toBe(true);
        }
      },
    ),
    runs,
  );
});

test('an explanation makes the same decision, and its rules give the same rights', () => {
  fc.assert(
    fc.property(anyDocument, anySubject, anyTarget, anyTime, (document, subject, target, now) => {
      const access = at(document, now);
      const decided = access.decide(subject, target);
      const { decision, rules } = access.explain(subject, target);
      expect(decision.allow).toEqual(decided.allow);
      for (const mode of ['view', 'control'] as const) {
        expect(decision.policyFor(mode)).toEqual(decided.policyFor(mode));
        expect(decision.validUntil(mode)).toEqual(decided.validUntil(mode));
      }
      for (const right of rights) expect(decision.rulesGranting(right)).toEqual(decided.rulesGranting(right));
      const given = rules.filter(({ mismatch }) => mismatch === undefined).flatMap(({ grants }) => grants);
      expect(rights.filter((right) => given.includes(right))).toEqual(decided.allow);
      expect(at(document, 0).explain(subject, target, now).rules).toEqual(rules);
    }),
    runs,
  );
});

test('a decision permits the same until validUntil, and less from then on', () => {
  fc.assert(
    fc.property(anyDocument, anySubject, anyTarget, anyTime, (document, subject, target, now) => {
      const decided = at(document, now).decide(subject, target);
      const [policy, end] = [decided.policyFor('view'), decided.validUntil('view')];
      if (!policy || end === undefined) return;
      const then = (when: number) => at(document, when).decide(subject, target).policyFor('view');
      const [after, just] = [then(end), then(end - 1)];
      expect(after && isAtLeastAsPermissive(policy, after)).toBeFalsy();
      expect(just && isAtLeastAsPermissive(policy, just)).toBe(true);
    }),
    runs,
  );
});
