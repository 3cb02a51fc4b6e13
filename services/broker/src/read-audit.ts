import { z } from 'zod';
import { auditEventNames } from '@porthole/shared/audit/events';
import type { AuditEntry, AuditTrail } from '@porthole/shared/audit/trail';
import { PortholeError } from '@porthole/shared/errors';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Access } from './access/decide.ts';
import { badRequestOf } from './http/bad-request.ts';
import type { Step } from './http/context.ts';
import type { RequireLogin } from './sign-in/require-login.ts';

/** Entries that one look goes through. */
const mostRead = 2000;
const perMinute = 60;

const question = z.strictObject({
  event: z.enum(auditEventNames).optional(),
  /** Id of a user, such as local:anna. */
  user: z.string().min(1).max(256).optional(),
  /** cluster/vmid */
  machine: z
    .string()
    .regex(/^[^/]{1,64}\/\d{1,9}$/, 'must be cluster/number')
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** GET /api/v1/audit: what happened in the last day, the newest first. For whom a rule about all machines lets `audit`. */
export function readAudit(deps: {
  readonly requireLogin: RequireLogin;
  readonly access: () => Pick<Access, 'everywhere'>;
  readonly trail: Pick<AuditTrail, 'latest'>;
  readonly rateLimits: RateLimits;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'audit';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`audit/user/${user.id}`, perMinute, 60);
    if (!deps.access().everywhere(user).has('audit'))
      throw new PortholeError('not_allowed', { detail: 'audit' });
    const parsed = question.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { limit, ...wanted } = parsed.data;
    const entries = await deps.trail.latest(mostRead);
    ctx.body = { events: entries.filter((entry) => fits(entry, wanted)).slice(0, limit) };
  };
}

const person = z.object({ id: z.string() });
const machine = z.object({ cluster: z.string(), vmid: z.number() });

/** `user`: to whom it happened, or who did it. */
function fits(entry: AuditEntry, wanted: Omit<z.infer<typeof question>, 'limit'>): boolean {
  if (wanted.event !== undefined && entry.event !== wanted.event) return false;
  const people = [entry['user'], entry['by'], entry['program']].map((one) => person.safeParse(one).data?.id);
  if (wanted.user !== undefined && !people.includes(wanted.user)) return false;
  if (wanted.machine === undefined) return true;
  const at = machine.safeParse(entry['machine']).data;
  return at !== undefined && `${at.cluster}/${at.vmid}` === wanted.machine;
}
