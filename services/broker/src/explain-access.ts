import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { machineNumber } from '@porthole/shared/grant/claims';
import { badRequestOf } from './http/bad-request.ts';
import type { Step } from './http/context.ts';
import type { MachineDirectory } from './machines/directory.ts';
import type { RequireLogin } from './sign-in/require-login.ts';
import type { Access, Subject } from './access/decide.ts';

const list = (length: number) =>
  z.union([
    z
      .string()
      .max(256)
      .transform((one) => [one]),
    z.array(z.string().max(256)).max(length),
  ]);

const question = z
  .strictObject({
    user: z.string().min(1).max(256).optional(),
    program: z.string().min(1).max(256).optional(),
    group: list(1000).default([]),
    /** name=value */
    claim: list(100).default([]),
    cluster: z.string().min(1).max(64),
    vmid: z.string().regex(machineNumber, 'must be the number of a machine'),
    at: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ user, program }) => (user === undefined) !== (program === undefined), 'give user or program');

/** GET /api/v1/access/explain: what somebody may do with a machine, and why. For those who may `explain` it. */
export function explainAccess(deps: {
  readonly requireLogin: RequireLogin;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly access: () => Access;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'explain';
    const { user: asks } = await deps.requireLogin(ctx);
    const parsed = question.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { cluster, vmid, at } = parsed.data;
    const access = deps.access();
    const machine = await deps.directory.find(cluster, Number(vmid));
    const { allow } = access.decide(asks, machine);
    if (allow.length === 0) throw new PortholeError('machine_not_found', { detail: 'no rule names it' });
    if (!allow.includes('explain')) throw new PortholeError('not_allowed', { detail: 'explain' });
    const { decision, rules } = access.explain(
      subjectOf(parsed.data),
      machine,
      at === undefined ? undefined : Date.parse(at),
    );
    ctx.body = {
      allow: decision.allow,
      consoles: Object.fromEntries(
        (['view', 'control'] as const).flatMap((mode) => {
          const terms = decision.terms(mode);
          if (!terms) return [];
          const { updatesPerSecond, ...rest } = terms;
          const until = decision.until(mode);
          return [
            [
              mode,
              {
                ...rest,
                ...(Number.isFinite(updatesPerSecond) ? { updatesPerSecond } : {}),
                ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
              },
            ],
          ];
        }),
      ),
      rules,
    };
  };
}

function subjectOf({ user, program, group, claim }: z.infer<typeof question>): Subject {
  if (program !== undefined) return { name: program, groups: [], kind: 'program' };
  const pairs = claim.map((text) => {
    const [name = '', ...value] = text.split('=');
    return [name, value.join('=')] as const;
  });
  const claims = Object.fromEntries(
    pairs.map(([name]) => [name, pairs.flatMap(([other, value]) => (other === name ? [value] : []))]),
  );
  return { name: user ?? '', groups: group, claims };
}
