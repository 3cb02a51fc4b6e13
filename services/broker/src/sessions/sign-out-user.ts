import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import type { Logins } from '../sign-in/logins/logins.ts';
import type { EndRouteDeps } from './end-sessions.ts';

export interface SignOutUserDeps extends Pick<
  EndRouteDeps,
  'requireLogin' | 'access' | 'live' | 'ends' | 'rateLimits' | 'audit'
> {
  readonly logins: Pick<Logins, 'ofUser' | 'end'>;
}

const wish = z.strictObject({ user: z.string().min(1).max(256) });
/** People whom one operator signs out in a minute. */
const perMinute = 60;

/**
 * DELETE /api/v1/logins?user=ID: signs somebody out everywhere. For operators: who may end the consoles of all machines.
 * What that person has open ends as well, whoever asked for it, and no grant given so far opens anything any more.
 */
export function signOutUser(deps: SignOutUserDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'logins';
    const { user: operator } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`sign-outs/user/${operator.id}`, perMinute, 60);
    const parsed = wish.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    if (!deps.access().everywhere(operator).has('end'))
      throw new PortholeError('not_allowed', { detail: 'sign others out' });
    const { user } = parsed.data;
    const signIns = await deps.logins.ofUser(user);
    const consoles = (await deps.live.listNow()).filter((session) => session.user.id === user);
    // The sign-ins first, so that nobody asks for a new console while the old ones end.
    for (const info of signIns) await deps.logins.end(info, 'operator', operator);
    await deps.ends.issue({ kind: 'user', ref: user }, 'signed_out');
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
