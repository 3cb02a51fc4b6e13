import { z } from 'zod';
import type { Audit } from '@porthole/shared/audit/audit';
import type { TerminationOrders } from '@porthole/shared/session/termination-orders';
import { PortholeError } from '@porthole/shared/errors';
import { machineNumber } from '@porthole/shared/grant/claims';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { RateLimits } from '@porthole/shared/store/ports';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import type { User } from '../identity/user.ts';
import type { SessionRouteDeps } from './list-sessions.ts';
import { overseerOf } from './overseer.ts';

export interface EndRouteDeps extends SessionRouteDeps {
  readonly ends: Pick<TerminationOrders, 'issue'>;
  readonly rateLimits: RateLimits;
  readonly audit: Audit;
  /** Whether people read who ended their console. */
  readonly showOperatorName: boolean;
}

/** Requests to end something, of one person in a minute. Each may end a whole class. */
const perMinute = 120;
/** Orders that are written at the same time. */
const batch = 50;

const whose = z.union([
  z.strictObject({ user: z.string().min(1).max(256) }),
  z.strictObject({ class: z.string().min(1).max(64) }),
  z.strictObject({ cluster: z.string().min(1).max(64), vmid: z.string().regex(machineNumber) }),
]);

/** DELETE /api/v1/sessions/{id} */
export function endSession(deps: EndRouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'sessions';
    const user = await begin(deps, ctx);
    const { id = '' } = ctx['params'] as Readonly<Record<string, string | undefined>>;
    const session = await deps.live.find(id);
    const overseer = await overseerOf(deps, user);
    if (!session || !overseer.sees(session))
      throw new PortholeError('not_found', { detail: 'no such session' });
    if (!overseer.mayEnd(session)) throw new PortholeError('not_allowed', { detail: 'end' });
    await endAll(deps, user, [session]);
    record(deps, ctx, user, { kind: 'session', ref: session.sessionId }, 1);
    ctx.status = 204;
  };
}

/** DELETE /api/v1/sessions?user=ID, ?class=NAME or ?cluster=NAME&vmid=N: all of them that this person may end. */
export function endSessions(deps: EndRouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'sessions';
    const user = await begin(deps, ctx);
    const parsed = whose.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const wish = parsed.data;
    const overseer = await overseerOf(deps, user);
    const all = (await deps.live.listNow()).filter(overseer.mayEnd);
    if ('user' in wish) {
      const found = all.filter((session) => session.user.id === wish.user);
      await endAll(deps, user, found);
      record(deps, ctx, user, { kind: 'user', ref: wish.user }, found.length);
      ctx.body = { ended: found.length };
    } else if ('class' in wish) {
      const taught = overseer.classes.find(({ name }) => name === wish.class);
      if (!taught) throw new PortholeError('not_found', { detail: 'no class of theirs' });
      // Whoever sends a class home goes on looking at what they look at.
      const found = all.filter((session) => taught.has(session) && !overseer.isMine(session));
      await endAll(deps, user, found);
      record(deps, ctx, user, { kind: 'class', ref: wish.class }, found.length);
      ctx.body = { ended: found.length };
    } else {
      const count = await endMachine(deps, user, wish.cluster, Number(wish.vmid), all);
      record(deps, ctx, user, { kind: 'machine', ref: `${wish.cluster}/${wish.vmid}` }, count);
      ctx.body = { ended: count };
    }
  };
}

async function begin(deps: EndRouteDeps, ctx: Context): Promise<User> {
  const { user } = await deps.requireLogin(ctx);
  await deps.rateLimits.spend(`ends/user/${user.id}`, perMinute, 60);
  return user;
}

/** One order for the machine, so that it reaches those as well who are about to open it. */
async function endMachine(
  deps: EndRouteDeps,
  user: User,
  cluster: string,
  vmid: number,
  all: readonly SessionRecord[],
): Promise<number> {
  const { allow } = deps.access().decide(user, await deps.directory.find(cluster, vmid));
  if (allow.length === 0) throw new PortholeError('machine_not_found', { detail: 'no rule names it' });
  if (!allow.includes('end')) throw new PortholeError('not_allowed', { detail: 'end' });
  await deps.ends.issue(
    { kind: 'machine', ref: `${cluster}/${vmid}` },
    'ended_by_operator',
    nameOf(deps, user),
  );
  return all.filter((session) => session.cluster === cluster && session.vmid === vmid).length;
}

async function endAll(deps: EndRouteDeps, user: User, sessions: readonly SessionRecord[]): Promise<void> {
  const by = nameOf(deps, user);
  for (let at = 0; at < sessions.length; at += batch)
    await Promise.all(
      sessions
        .slice(at, at + batch)
        .map(({ sessionId }) =>
          deps.ends.issue({ kind: 'session', ref: sessionId }, 'ended_by_operator', by),
        ),
    );
}

function nameOf({ showOperatorName }: EndRouteDeps, { name, displayName }: User): string | undefined {
  return showOperatorName ? (displayName ?? name).slice(0, 128) : undefined;
}

function record(
  { audit }: EndRouteDeps,
  ctx: Context,
  { id, name }: User,
  target: { readonly kind: 'session' | 'user' | 'machine' | 'class'; readonly ref: string },
  consoles: number,
): void {
  const { requestId } = ctx.state;
  audit({ event: 'termination_ordered', by: { id, name }, target, consoles, address: ctx.ip, requestId });
}
