import type { Authenticator } from '../require-login.ts';
import type { LoginCookie } from './login-cookie.ts';
import type { LoginResolver } from './login-resolver.ts';
import type { LoginSessions } from './login-sessions.ts';

/** Identifies requests by the sign-in cookie. */
export function createCookieAuthenticator(deps: {
  readonly cookie: Pick<LoginCookie, 'read'>;
  readonly sessions: Pick<LoginSessions, 'find'>;
  readonly resolvers: readonly LoginResolver[];
}): Authenticator {
  const resolvers = new Map(deps.resolvers.map((resolver) => [resolver.method, resolver]));
  return async (ctx) => {
    const secret = deps.cookie.read(ctx.get('cookie'));
    const login = secret === undefined ? undefined : await deps.sessions.find(secret);
    if (!login) return undefined;
    const requireFresh = ctx.method !== 'GET' && ctx.method !== 'HEAD';
    const user = await resolvers.get(login.method)?.resolveUser(login, { requireFresh });
    return user && { user, loginRef: login.ref };
  };
}
