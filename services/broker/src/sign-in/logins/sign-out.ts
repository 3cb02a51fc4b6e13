import type { Clock } from '@porthole/shared/time/clock';
import type { Step } from '../../http/context.ts';
import type { LoginCookie } from './login-cookie.ts';
import type { LoginResolver } from './login-resolver.ts';
import type { LoginSessions } from './login-sessions.ts';
import type { Logins } from './logins.ts';

/** Milliseconds that a sign-out waits for the provider's sign-out page. The user is signed out of Porthole before. */
const providerMs = 1000;

export interface SignOutDeps {
  readonly cookie: LoginCookie;
  readonly sessions: Pick<LoginSessions, 'find'>;
  readonly resolvers: readonly LoginResolver[];
  readonly logins: Pick<Logins, 'endCurrent'>;
  /** The sign-out page of the authenticating proxy, if one is configured. */
  readonly proxySignOutUrl: string | undefined;
  readonly clock: Clock;
}

/**
 * POST /api/v1/logout: ends the sign-in and its consoles. Responds with 204, or with 200 and the `url` of the page
 * where the user signs out of the identity provider. A request without a sign-in gets the same responses.
 */
export function signOut(deps: SignOutDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'logout';
    const resolver = await currentResolver(deps, ctx.get('cookie'));
    // Starts now, so that it overlaps with the end of the sign-in. Errors of the provider don't matter here.
    const providerUrl = resolver?.providerSignOutUrl?.().catch(() => undefined);
    await deps.logins.endCurrent(ctx);
    ctx.append('set-cookie', deps.cookie.clear());
    const url = (await withinDeadline(deps.clock, providerMs, providerUrl)) ?? deps.proxySignOutUrl;
    if (url === undefined) ctx.status = 204;
    else ctx.body = { url };
  };
}

async function currentResolver(deps: SignOutDeps, cookies: string): Promise<LoginResolver | undefined> {
  const secret = deps.cookie.read(cookies);
  const login = secret === undefined ? undefined : await deps.sessions.find(secret);
  return deps.resolvers.find(({ method }) => method === login?.method);
}

/** Resolves with undefined if the promise takes longer. */
function withinDeadline<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T | undefined> | undefined,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(undefined));
    void Promise.resolve(promise).then(resolve, reject).finally(cancel);
  });
}
