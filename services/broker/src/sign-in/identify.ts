import { PortholeError } from '@porthole/shared/errors';
import type { Context } from '../http/context.ts';
import type { HeaderIdentity } from './header.ts';
import type { LoginCookie } from './login-cookie.ts';
import type { LoginSessions } from './login-sessions.ts';
import type { LoginMethod } from './method.ts';
import type { ProgramIdentity } from './programs/identify-program.ts';
import type { User } from './user.ts';

/** Who sends a request, and by which sign-in. */
export interface Identity {
  readonly user: User;
  readonly loginRef: string;
  /** The program that asks, when it is one. It may ask for others. */
  readonly program?: Program;
}

export interface Program {
  readonly id: string;
  readonly name: string;
  /** The user for whom it asks, if it may. Throws `impersonation_not_allowed`. */
  actFor(user: OnBehalfOf): User;
}

export interface OnBehalfOf {
  readonly id: string;
  readonly name?: string | undefined;
  readonly groups: readonly string[];
}

/** Rejects with `not_signed_in` unless somebody stands behind the request. */
export type RequireLogin = (ctx: Context) => Promise<Identity>;

/**
 * A token says who asks, whatever else comes with it; then what the proxy in front says; then the cookie. One that is
 * not valid is never made up for by the next.
 */
export function createRequireLogin(deps: {
  readonly cookie: LoginCookie;
  readonly sessions: LoginSessions;
  readonly methods: readonly LoginMethod[];
  readonly header: HeaderIdentity | undefined;
  readonly program: ProgramIdentity;
}): RequireLogin {
  const methods = new Map(deps.methods.map((method) => [method.name, method]));

  async function byCookie(ctx: Context): Promise<Identity | undefined> {
    const secret = deps.cookie.read(ctx.get('cookie'));
    const login = secret === undefined ? undefined : await deps.sessions.find(secret);
    const acts = ctx.method !== 'GET' && ctx.method !== 'HEAD';
    const user = login && (await methods.get(login.method)?.userOf(login, { acts }));
    return user && { user, loginRef: login.ref };
  }

  return async (ctx) => {
    const identity = (await deps.program(ctx)) ?? (await deps.header?.(ctx)) ?? (await byCookie(ctx));
    if (!identity) throw new PortholeError('not_signed_in');
    ctx.state.user = identity.user;
    return identity;
  };
}
