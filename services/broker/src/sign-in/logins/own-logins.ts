import { PortholeError } from '@porthole/shared/errors';
import type { Step } from '../../http/context.ts';
import type { RequireLogin } from '../require-login.ts';
import type { LoginInfo } from './login-index.ts';
import type { Logins } from './logins.ts';

export interface OwnLoginsDeps {
  readonly requireLogin: RequireLogin;
  readonly logins: Pick<Logins, 'ofUser' | 'end'>;
}

/** GET /api/v1/me/logins: lists the user's own sign-ins. */
export function listOwnLogins({ requireLogin, logins }: OwnLoginsDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'logins';
    const { user, loginRef } = await requireLogin(ctx);
    const found = await logins.ofUser(user.id);
    ctx.body = { logins: found.map((info) => ({ ...toPublicLogin(info), current: info.ref === loginRef })) };
  };
}

/** DELETE /api/v1/me/logins/{id}: ends one of the user's own sign-ins and its consoles. */
export function endOwnLogin({ requireLogin, logins }: OwnLoginsDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'logins';
    const { user } = await requireLogin(ctx);
    const { id } = ctx['params'] as { readonly id?: string };
    const info = (await logins.ofUser(user.id)).find(({ ref }) => ref === id);
    if (!info) throw new PortholeError('not_found', { detail: 'the user has no such sign-in' });
    await logins.end(info, 'user');
    ctx.status = 204;
  };
}

function toPublicLogin({ ref, method, since, address }: LoginInfo) {
  return { id: ref, method, since: new Date(since).toISOString(), address };
}
