import type { Step } from '../../http/context.ts';
import type { LoginCookie } from './login-cookie.ts';
import type { LoginSessions } from './login-sessions.ts';
import type { Logins } from './logins.ts';
import type { LoginResolver } from './login-resolver.ts';

export interface SignOutDeps {
  readonly cookie: LoginCookie;
  readonly sessions: Pick<LoginSessions, 'find'>;
  readonly resolvers: readonly LoginResolver[];
  readonly logins: Pick<Logins, 'endCurrent'>;
  /** Where the proxy in front signs people out, if it signs them in. */
  readonly proxySignOutUrl: string | undefined;
}

/**
 * POST /api/v1/logout. Answers whoever is signed out already, too. 204, or 200 with what is left for the browser to
 * do: a `url` to go to, where they sign out of what signed them in.
 */
export function signOut(deps: SignOutDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'logout';
    const url = (await providerSignOutUrl(deps, ctx.get('cookie'))) ?? deps.proxySignOutUrl;
    await deps.logins.endCurrent(ctx);
    ctx.append('set-cookie', deps.cookie.clear());
    if (url === undefined) ctx.status = 204;
    else ctx.body = { url };
  };
}

async function providerSignOutUrl(deps: SignOutDeps, cookies: string): Promise<string | undefined> {
  const secret = deps.cookie.read(cookies);
  const login = secret === undefined ? undefined : await deps.sessions.find(secret);
  if (!login) return undefined;
  // An issuer that is away must not keep anybody signed in here.
  return deps.resolvers
    .find(({ method: name }) => name === login.method)
    ?.providerSignOutUrl?.(login)
    .catch(() => undefined);
}
