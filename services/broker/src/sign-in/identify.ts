import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { Context } from '../http/context.ts';
import type { LocalUsers } from './local-users.ts';
import type { LoginCookie } from './login-cookie.ts';
import type { LoginSessions } from './login-sessions.ts';
import type { User } from './user.ts';

/** Who sends a request, and by which sign-in. */
export interface Identity {
  readonly user: User;
  readonly loginRef: string;
}

/** Rejects with `not_signed_in` unless the request's cookie belongs to a living sign-in of a user who still exists. */
export type RequireLogin = (ctx: Context) => Promise<Identity>;

export function createRequireLogin(deps: {
  readonly cookie: LoginCookie;
  readonly sessions: LoginSessions;
  readonly users: LocalUsers;
}): RequireLogin {
  return async (ctx) => {
    const secret = deps.cookie.read(ctx.get('cookie'));
    const login = secret === undefined ? undefined : await deps.sessions.find(secret);
    // From the file as it is now: people who were removed, or got another password or other groups, don't keep
    // until tomorrow what they had when they signed in.
    const found = login && deps.users.find(login.userName);
    if (!login || !found || passwordRef(found.passwordText) !== login.passwordRef)
      throw new PortholeError('not_signed_in');
    ctx.state.user = found.user;
    return { user: found.user, loginRef: login.ref };
  };
}

/** Tells one password of a user from the next, and nothing else. */
export function passwordRef(passwordText: string): string {
  return digest(passwordText).slice(0, 32);
}
