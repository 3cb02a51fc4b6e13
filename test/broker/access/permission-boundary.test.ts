import * as fc from 'fast-check';
import { withPermissionBoundaries } from '@porthole/broker/access/permission-boundary';
import { createAccess } from '@porthole/broker/access/decide';
import type { Subject, Target } from '@porthole/broker/access/subject';
import { rights, type Right } from '@porthole/shared/config/access-schema';

const target: Target = {
  cluster: 'lab',
  node: 'pve1',
  type: 'qemu',
  vmid: 101,
  name: 'lab-1',
  pool: undefined,
  tags: [],
};
const some = fc.subarray<Right>([...rights], { minLength: 1 });
const limits = {
  sessionSeconds: 1000,
  maxSessionSeconds: undefined,
  idleSeconds: 500,
  parkViewSeconds: 300,
  parkControlSeconds: 900,
  consolesPerUser: 20,
  consolesPerMachine: 10,
};
const allowing = (allow: Right[]) =>
  createAccess(
    { access: [{ name: 'one', who: { everyone: true }, which: { all: true }, allow }] },
    { limits, now: () => 0 },
  );
const person = (boundary?: readonly Right[]): Subject => ({
  name: 'anna',
  groups: [],
  ...(boundary ? { permissionBoundary: () => new Set(boundary) } : {}),
});

test('a permission boundary limits the rights from rules, adds none, and does not affect other subjects', () => {
  fc.assert(
    fc.property(some, fc.subarray<Right>([...rights]), (allow, most) => {
      const rules = allowing(allow);
      const access = withPermissionBoundaries(rules);
      const whole = rules.decide(person(), target);
      const { allow: left, policyFor: terms, rulesGranting: rulesFor } = access.decide(person(most), target);
      expect(left).toEqual(whole.allow.filter((right) => most.includes(right)));
      expect(access.explain(person(most), target).decision.allow).toEqual(left);
      expect(terms('terminal') !== undefined).toBe(left.includes('terminal'));
      expect(terms('control') !== undefined).toBe(left.includes('control'));
      expect(terms('view') !== undefined).toBe(left.includes('view') || left.includes('watch'));
      for (const right of rights) expect(rulesFor(right).length > 0).toBe(left.includes(right));
      expect(access.decide(person(), target).allow).toEqual(whole.allow);
    }),
  );
});

test('subjects with a boundary can have rules of their own', () => {
  const access = withPermissionBoundaries(allowing(['end']), allowing(['control']));
  expect(access.decide(person([...rights]), target).allow).toEqual(['view', 'control']);
  expect(access.decide(person(), target).allow).toEqual(['end']);
  expect(access.managesSessions(person())).toBe(true);
  expect(access.managesSessions(person([...rights]))).toBe(false);
});

test('a node has a shell only, for subjects whose rules name the type node', () => {
  const node: Target = { ...target, type: 'node', vmid: 1, name: 'pve1' };
  fc.assert(
    fc.property(some, fc.boolean(), (allow, byType) => {
      const which = byType ? { types: ['node' as const] } : { all: true as const };
      const rules = createAccess(
        { access: [{ who: { everyone: true }, which, allow }] },
        { limits, now: () => 0 },
      );
      const decision = withPermissionBoundaries(rules).decide(person(), node);
      const given = (['terminal', 'end', 'explain', 'recordings'] as const).filter((right) =>
        allow.includes(right),
      );
      expect(decision.allow).toEqual(byType ? given : []);
      expect(decision.policyFor('view')).toBeUndefined();
      expect(decision.policyFor('control')).toBeUndefined();
    }),
  );
});
