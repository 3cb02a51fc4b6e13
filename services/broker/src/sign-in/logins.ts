import type { Audit } from '@porthole/shared/audit/audit';
import type { Clock } from '@porthole/shared/time/clock';
import type { TerminationOrders } from '@porthole/shared/session/termination-orders';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Context } from '../http/context.ts';
import type { LoginCookie } from './login-cookie.ts';
import type { LoginIndex, LoginInfo } from './login-index.ts';
import { loginRef, tokenDigestOf, type LoginBasis, type LoginSessions } from './login-sessions.ts';
import type { User } from './user.ts';

export interface Entry extends LoginBasis {
  readonly user: User;
  /** By which an issuer knows the sign-in, see login-index.ts. */
  readonly handles?: readonly string[];
}

export type WhyLeft = 'user' | 'operator' | 'provider';

/** Sign-ins as they begin and end, however they were made. */
export interface Logins {
  /** Sets the cookie. A new id at each sign-in, and the old one is worth nothing from then on, whoever may know it. */
  enter(ctx: Context, entry: Entry): Promise<void>;
  /** Ends the sign-in of the request's cookie, if there is one. */
  leave(ctx: Context): Promise<void>;
  /** First the sign-in, so that it can ask for no further console, and then the consoles that it opened. */
  end(info: LoginInfo, why: WhyLeft, by?: User): Promise<void>;
  endByRef(ref: string, why: WhyLeft): Promise<void>;
  ofUser(userId: string): Promise<readonly LoginInfo[]>;
  byHandle(handle: string): Promise<readonly LoginInfo[]>;
}

export function createLogins(deps: {
  readonly sessions: LoginSessions;
  readonly index: LoginIndex;
  readonly cookie: LoginCookie;
  readonly ends: Pick<TerminationOrders, 'issue'>;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly log: Pick<Log, 'info'>;
}): Logins {
  const { sessions, index, cookie, ends, clock, audit, log } = deps;

  async function end(info: LoginInfo, why: WhyLeft, by?: User): Promise<void> {
    await sessions.end(info.tokenDigest);
    await ends.issue({ kind: 'login', ref: info.ref }, 'signed_out');
    await index.remove(info);
    log.info({ event: 'sign_out', user: info.user.id, login: info.ref, why }, 'a sign-in was ended');
    audit({
      event: 'sign_out',
      user: info.user,
      login: info.ref,
      reason: why,
      ...(by && { by: { id: by.id, name: by.name } }),
    });
  }

  async function leave(ctx: Context): Promise<void> {
    const secret = cookie.read(ctx.get('cookie'));
    if (secret === undefined) return;
    const info = await index.find(loginRef(secret));
    if (info) await end(info, 'user');
    else await sessions.end(tokenDigestOf(secret));
  }

  return {
    async enter(ctx, { method, facts, user, handles = [] }) {
      await leave(ctx);
      const secret = await sessions.create({ method, facts });
      const ref = loginRef(secret);
      const crowdedOut = await index.add({
        version: 1,
        ref,
        tokenDigest: tokenDigestOf(secret),
        user: { id: user.id, name: user.name },
        method,
        handles: [...handles],
        since: clock.now(),
        address: ctx.ip,
      });
      for (const oldest of crowdedOut) await end(oldest, 'user');
      ctx.append('set-cookie', cookie.set(secret));
      ctx.state.user = user;
      log.info(
        { event: 'sign_in', method, user: user.id, login: ref, address: ctx.ip },
        'somebody signed in',
      );
      audit({
        event: 'sign_in',
        user: { id: user.id, name: user.name },
        method: methodKind(method),
        ...providerOf(method),
        login: ref,
        address: ctx.ip,
        requestId: ctx.state.requestId,
      });
    },
    leave,
    end,
    async endByRef(ref, why) {
      const info = await index.find(ref);
      if (info) await end(info, why);
    },
    ofUser: index.ofUser,
    byHandle: index.byHandle,
  };
}

/** "oidc" of "oidc:school". */
export function methodKind(method: string): string {
  return method.split(':', 1)[0] ?? method;
}

export function providerOf(method: string): { provider?: string } {
  const colon = method.indexOf(':');
  return colon < 0 ? {} : { provider: method.slice(colon + 1) };
}
