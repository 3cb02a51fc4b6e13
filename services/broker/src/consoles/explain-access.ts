import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { machineNumber } from '@porthole/shared/grant/claims';
import type { Access } from '../access/decide.ts';
import type { Decision } from '../access/decision.ts';
import { parkSecondsOf } from '../access/session-policy.ts';
import type { Subject } from '../access/subject.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';

/** A query parameter that may occur several times. */
const repeated = (maxCount: number) =>
  z.union([
    z
      .string()
      .max(256)
      .transform((one) => [one]),
    z.array(z.string().max(256)).max(maxCount),
  ]);

const explainQuery = z
  .strictObject({
    user: z.string().min(1).max(256).optional(),
    program: z.string().min(1).max(256).optional(),
    group: repeated(1000).default([]),
    /** name=value */
    claim: repeated(100).default([]),
    cluster: z.string().min(1).max(64),
    vmid: z.string().regex(machineNumber, 'must be the number of a machine'),
    at: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ user, program }) => (user === undefined) !== (program === undefined), 'give user or program');

/** GET /api/v1/access/explain: what a user may do with a machine, and why. Needs the right `explain` on the machine. */
export function explainAccess(deps: {
  readonly requireLogin: RequireLogin;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly access: () => Access;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'explain';
    const { user } = await deps.requireLogin(ctx);
    const parsed = explainQuery.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { cluster, vmid, at } = parsed.data;
    const access = deps.access();
    const machine = await deps.directory.find(cluster, Number(vmid));
    const { allow } = access.decide(user, machine);
    if (allow.length === 0) throw new PortholeError('machine_not_found', { detail: 'no rule gives a right' });
    if (!allow.includes('explain')) throw new PortholeError('not_allowed', { detail: 'explain' });
    const { decision, rules } = access.explain(
      subjectOf(parsed.data),
      machine,
      at === undefined ? undefined : Date.parse(at),
    );
    ctx.body = { allow: decision.allow, consoles: policiesOf(decision), rules };
  };
}

function policiesOf(decision: Decision) {
  return Object.fromEntries(
    (['view', 'control'] as const).flatMap((mode) => {
      const policy = decision.policyFor(mode);
      if (!policy) return [];
      const { updatesPerSecond, parkViewSeconds: _view, parkControlSeconds: _control, ...limits } = policy;
      const parkSeconds = parkSecondsOf(policy, mode);
      const until = decision.validUntil(mode);
      const shown = {
        ...limits,
        // JSON has no Infinity.
        ...(Number.isFinite(updatesPerSecond) ? { updatesPerSecond } : {}),
        ...(parkSeconds === undefined ? {} : { parkSeconds }),
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      };
      return [[mode, shown]];
    }),
  );
}

function subjectOf({ user, program, group, claim }: z.infer<typeof explainQuery>): Subject {
  if (program !== undefined) return { name: program, groups: [], kind: 'program' };
  const pairs = claim.map((text) => {
    const [name = '', ...value] = text.split('=');
    return { name, value: value.join('=') };
  });
  const claims = Object.fromEntries(
    pairs.map(({ name }) => [name, pairs.flatMap((other) => (other.name === name ? [other.value] : []))]),
  );
  return { name: user ?? '', groups: group, claims };
}
