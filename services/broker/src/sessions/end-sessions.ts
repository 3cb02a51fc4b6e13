import { z } from 'zod';
import type { Audit } from '@porthole/shared/audit/audit';
import { PortholeError } from '@porthole/shared/errors';
import { machineNumber } from '@porthole/shared/grant/claims';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { TerminationOrders } from '@porthole/shared/session/termination-orders';
import type { RateLimits } from '@porthole/shared/store/ports';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import type { User } from '../identity/user.ts';
import { findVisibleMachine } from '../machines/find-visible-machine.ts';
import type { ListSessionsDeps } from './list-sessions.ts';
import { permissionsFor, type SessionPermissions } from './permissions.ts';

export interface EndSessionsDeps extends ListSessionsDeps {
  readonly terminationOrders: Pick<TerminationOrders, 'issue'>;
  readonly rateLimits: RateLimits;
  readonly audit: Audit;
  /** Whether users learn who ended their console. */
  readonly showOperatorName: boolean;
}

/** Requests of one user. Each can end a whole class. */
const perMinute = 120;
/** Termination orders that are written concurrently. */
const batchSize = 50;

const endQuery = z.union([
  z.strictObject({ user: z.string().min(1).max(256) }),
  z.strictObject({ class: z.string().min(1).max(64) }),
  z.strictObject({ cluster: z.string().min(1).max(64), vmid: z.string().regex(machineNumber) }),
]);

interface EndTarget {
  readonly kind: 'session' | 'user' | 'machine' | 'class';
  readonly ref: string;
}

/** DELETE /api/v1/sessions/{id}: ends one session. */
export function endSession(deps: EndSessionsDeps): Step {
  return async (ctx) => {
    const user = await requireOperator(deps, ctx);
    const { id = '' } = pathParameters(ctx);
    const session = await deps.live.find(id);
    const permissions = await permissionsFor(deps, user);
    if (!session || !permissions.maySee(session))
      throw new PortholeError('not_found', { detail: 'no such session' });
    if (!permissions.mayEnd(session)) throw new PortholeError('not_allowed', { detail: 'end' });
    await endEach(deps, user, [session]);
    auditTermination(deps, ctx, user, { kind: 'session', ref: session.sessionId }, 1);
    ctx.status = 204;
  };
}

/** DELETE /api/v1/sessions?user=ID, ?class=NAME or ?cluster=NAME&vmid=N: ends all of these that the user may end. */
export function endSessions(deps: EndSessionsDeps): Step {
  return async (ctx) => {
    const user = await requireOperator(deps, ctx);
    const parsed = endQuery.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const query = parsed.data;
    const permissions = await permissionsFor(deps, user);
    const sessions = (await deps.live.listFresh()).filter(permissions.mayEnd);
    const { target, count } =
      'cluster' in query
        ? await endMachine(deps, user, query, sessions)
        : await endSelected(deps, user, selectSessions(query, permissions, sessions));
    auditTermination(deps, ctx, user, target, count);
    ctx.body = { ended: count };
  };
}

async function requireOperator(deps: EndSessionsDeps, ctx: Context): Promise<User> {
  ctx.state.route = 'sessions';
  const { user } = await deps.requireLogin(ctx);
  await deps.rateLimits.spend(`ends/user/${user.id}`, perMinute, 60);
  return user;
}

interface Selection {
  readonly target: EndTarget;
  readonly sessions: readonly SessionRecord[];
}

function selectSessions(
  query: { readonly user: string } | { readonly class: string },
  permissions: SessionPermissions,
  sessions: readonly SessionRecord[],
): Selection {
  if ('user' in query)
    return {
      target: { kind: 'user', ref: query.user },
      sessions: sessions.filter((session) => session.user.id === query.user),
    };
  const instructed = permissions.classes.find(({ name }) => name === query.class);
  if (!instructed) throw new PortholeError('not_found', { detail: 'the user instructs no such class' });
  return {
    target: { kind: 'class', ref: query.class },
    // The instructor's own consoles stay open.
    sessions: sessions.filter((session) => instructed.includes(session) && !permissions.isOwn(session)),
  };
}

async function endSelected(deps: EndSessionsDeps, user: User, { target, sessions }: Selection) {
  await endEach(deps, user, sessions);
  return { target, count: sessions.length };
}

/** Issues one order for the machine, so that it also ends consoles that are about to open. */
async function endMachine(
  deps: EndSessionsDeps,
  user: User,
  { cluster, vmid }: { readonly cluster: string; readonly vmid: string },
  sessions: readonly SessionRecord[],
): Promise<{ target: EndTarget; count: number }> {
  const { decide } = deps.access();
  const { machine, decision } = await findVisibleMachine(
    { directory: deps.directory, decide },
    user,
    cluster,
    vmid,
  );
  if (!decision.allow.includes('end')) throw new PortholeError('not_allowed', { detail: 'end' });
  const target = { kind: 'machine', ref: `${cluster}/${machine.vmid}` } as const;
  await deps.terminationOrders.issue(target, 'ended_by_operator', operatorName(deps, user));
  const affected = sessions.filter((one) => one.cluster === cluster && one.vmid === machine.vmid);
  return { target, count: affected.length };
}

async function endEach(deps: EndSessionsDeps, user: User, sessions: readonly SessionRecord[]): Promise<void> {
  const by = operatorName(deps, user);
  for (let at = 0; at < sessions.length; at += batchSize)
    await Promise.all(
      sessions
        .slice(at, at + batchSize)
        .map(({ sessionId }) =>
          deps.terminationOrders.issue({ kind: 'session', ref: sessionId }, 'ended_by_operator', by),
        ),
    );
}

function operatorName(
  { showOperatorName }: EndSessionsDeps,
  { name, displayName }: User,
): string | undefined {
  return showOperatorName ? (displayName ?? name).slice(0, 128) : undefined;
}

function auditTermination(
  { audit }: EndSessionsDeps,
  ctx: Context,
  { id, name }: User,
  target: EndTarget,
  consoles: number,
): void {
  const { requestId } = ctx.state;
  audit({ event: 'termination_ordered', by: { id, name }, target, consoles, address: ctx.ip, requestId });
}
