import type { Audit } from '@porthole/shared/audit/audit';
import type { TerminationOrders } from '@porthole/shared/session/termination-orders';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { Context } from '../../http/context.ts';
import type { User } from '../../identity/user.ts';
import type { LoginCookie } from './login-cookie.ts';
import type { LoginIndex, LoginInfo } from './login-index.ts';
import { loginRef, tokenDigestOf, type LoginData, type LoginSessions } from './login-sessions.ts';

export interface NewLogin extends LoginData {
  readonly user: User;
  /** References of the identity provider to the sign-in, see oidc/provider-refs.ts. */
  readonly providerRefs?: readonly string[];
}

/** Who ended a sign-in. */
export type SignOutReason = 'user' | 'operator' | 'provider';

/** Starts and ends sign-ins of all methods. */
export interface Logins {
  /** Starts a sign-in with a new secret, sets its cookie, and ends the sign-in of the cookie that the browser sent. */
  start(ctx: Context, login: NewLogin): Promise<void>;
  /** Ends the sign-in of the request's cookie, if there is one. */
  endCurrent(ctx: Context): Promise<void>;
  /** Ends a sign-in, and then its consoles. In this order it can't open another console in between. */
  end(info: LoginInfo, reason: SignOutReason, by?: User): Promise<void>;
  endByRef(ref: string, reason: SignOutReason): Promise<void>;
  ofUser(userId: string): Promise<readonly LoginInfo[]>;
  byProviderRef(ref: string): Promise<readonly LoginInfo[]>;
}

export function createLogins(deps: {
  readonly sessions: LoginSessions;
  readonly index: LoginIndex;
  readonly cookie: LoginCookie;
  readonly terminationOrders: Pick<TerminationOrders, 'issue'>;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly log: Pick<Log, 'info'>;
}): Logins {
  const { sessions, index, cookie, terminationOrders, clock, audit, log } = deps;

  async function end(info: LoginInfo, reason: SignOutReason, by?: User): Promise<void> {
    await sessions.end(info.tokenDigest);
    await terminationOrders.issue({ kind: 'login', ref: info.ref }, 'signed_out');
    await index.remove(info);
    log.info({ event: 'sign_out', user: info.user.id, login: info.ref, reason }, 'a sign-in ended');
    audit({
      event: 'sign_out',
      user: info.user,
      login: info.ref,
      reason,
      ...(by && { by: { id: by.id, name: by.name } }),
    });
  }

  async function endCurrent(ctx: Context): Promise<void> {
    const secret = cookie.read(ctx.get('cookie'));
    if (secret === undefined) return;
    const info = await index.find(loginRef(secret));
    if (info) await end(info, 'user');
    else await sessions.end(tokenDigestOf(secret));
  }

  return {
    async start(ctx, { method, data, user, providerRefs = [] }) {
      await endCurrent(ctx);
      const secret = await sessions.create({ method, data });
      const ref = loginRef(secret);
      const aboveLimit = await index.add({
        version: 1,
        ref,
        tokenDigest: tokenDigestOf(secret),
        user: { id: user.id, name: user.name },
        method,
        providerRefs: [...providerRefs],
        since: clock.now(),
        address: ctx.ip,
      });
      for (const oldest of aboveLimit) await end(oldest, 'user');
      ctx.append('set-cookie', cookie.set(secret));
      ctx.state.user = user;
      log.info({ event: 'sign_in', method, user: user.id, login: ref, address: ctx.ip }, 'a user signed in');
      audit({
        event: 'sign_in',
        user: { id: user.id, name: user.name },
        method: methodKindOf(method),
        ...providerOf(method),
        login: ref,
        address: ctx.ip,
        requestId: ctx.state.requestId,
      });
    },
    endCurrent,
    end,
    async endByRef(ref, reason) {
      const info = await index.find(ref);
      if (info) await end(info, reason);
    },
    ofUser: index.ofUser,
    byProviderRef: index.byProviderRef,
  };
}

/** Returns "oidc" for "oidc:school". */
export function methodKindOf(method: string): string {
  return method.split(':', 1)[0] ?? method;
}

/** Returns "school" as `provider` for "oidc:school". */
export function providerOf(method: string): { provider?: string } {
  const colon = method.indexOf(':');
  return colon < 0 ? {} : { provider: method.slice(colon + 1) };
}
