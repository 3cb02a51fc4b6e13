import { z } from 'zod';
import { auditEventNames } from '@porthole/shared/audit/events';
import type { AuditEntry, AuditTrail } from '@porthole/shared/audit/trail';
import { PortholeError } from '@porthole/shared/errors';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Access } from '../access/decide.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';

/** Entries that one request searches. */
const maxEntries = 2000;
const perMinute = 60;

const auditQuery = z.strictObject({
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

/** GET /api/v1/audit: events of the last day, newest first. Needs the right `audit` from a rule for all machines. */
export function readAudit(deps: {
  readonly requireLogin: RequireLogin;
  readonly access: () => Pick<Access, 'globalRights'>;
  readonly trail: Pick<AuditTrail, 'latest'>;
  readonly rateLimits: RateLimits;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'audit';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`audit/user/${user.id}`, perMinute, 60);
    if (!deps.access().globalRights(user).has('audit'))
      throw new PortholeError('not_allowed', { detail: 'audit' });
    const parsed = auditQuery.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { limit, ...filter } = parsed.data;
    const entries = await deps.trail.latest(maxEntries);
    ctx.body = { events: entries.filter((entry) => matches(entry, filter)).slice(0, limit) };
  };
}

const namedUser = z.object({ id: z.string() });
const namedMachine = z.object({ cluster: z.string(), vmid: z.number() });

/** The filter `user` also matches the user or program that caused an event. */
function matches(entry: AuditEntry, filter: Omit<z.infer<typeof auditQuery>, 'limit'>): boolean {
  if (filter.event !== undefined && entry.event !== filter.event) return false;
  const userIds = [entry['user'], entry['by'], entry['program']].map(
    (one) => namedUser.safeParse(one).data?.id,
  );
  if (filter.user !== undefined && !userIds.includes(filter.user)) return false;
  if (filter.machine === undefined) return true;
  const machine = namedMachine.safeParse(entry['machine']).data;
  return machine !== undefined && `${machine.cluster}/${machine.vmid}` === filter.machine;
}
