import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { Logins } from '../sign-in/logins/logins.ts';
import type { EndSessionsDeps } from './end-sessions.ts';

export interface SignOutUserDeps extends Pick<
  EndSessionsDeps,
  'requireLogin' | 'access' | 'live' | 'terminationOrders' | 'rateLimits' | 'audit'
> {
  readonly logins: Pick<Logins, 'ofUser' | 'end'>;
}

const signOutQuery = z.strictObject({ user: z.string().min(1).max(256) });
/** Requests of one operator. */
const perMinute = 60;

/**
 * DELETE /api/v1/logins?user=ID: ends all sign-ins and consoles of a user, and invalidates the grants of the user. Needs
 * the right `end` from a rule for all machines.
 */
export function signOutUser(deps: SignOutUserDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'logins';
    const { user: operator } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`sign-outs/user/${operator.id}`, perMinute, 60);
    const parsed = signOutQuery.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    if (!deps.access().globalRights(operator).has('end'))
      throw new PortholeError('not_allowed', { detail: 'sign out other users' });
    const { user } = parsed.data;
    const signIns = await deps.logins.ofUser(user);
    const consoles = (await deps.live.listFresh()).filter((session) => session.user.id === user);
    // Sign-ins end first, so that none of them requests a console while the others end.
    for (const login of signIns) await deps.logins.end(login, 'operator', operator);
    await deps.terminationOrders.issue({ kind: 'user', ref: user }, 'signed_out');
    deps.audit({
      event: 'termination_ordered',
      by: { id: operator.id, name: operator.name },
      target: { kind: 'user', ref: user },
      consoles: consoles.length,
      address: ctx.ip,
      requestId: ctx.state.requestId,
    });
    ctx.body = { signIns: signIns.length, consoles: consoles.length };
  };
}
