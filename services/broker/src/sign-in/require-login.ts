import { PortholeError } from '@porthole/shared/errors';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Context } from '../http/context.ts';
import type { Identity } from '../identity/identity.ts';
import { limitReads } from './limit-reads.ts';

/**
 * Returns the identity of a request, or undefined if the request has no credential of this kind. Rejects if the
 * credential is not valid.
 */
export type Authenticator = (ctx: Context) => Promise<Identity | undefined>;

/**
 * Returns the identity of a request. Rejects with `not_signed_in` if the request has no credential, or with
 * `rate_limited` if the user reads too often.
 */
export type RequireLogin = (ctx: Context) => Promise<Identity>;

/**
 * Tries the authenticators in order and takes the first identity. A credential that is not valid rejects the request:
 * the next authenticator does not make up for it. Requests of programs have a limit by address instead of one for reads.
 */
export function createRequireLogin(
  authenticators: readonly Authenticator[],
  rateLimits: RateLimits,
): RequireLogin {
  return async (ctx) => {
    for (const authenticate of authenticators) {
      const identity = await authenticate(ctx);
      if (identity) {
        ctx.state.user = identity.user;
        if (isRead(ctx.method) && !identity.program) await limitReads(rateLimits, identity.user);
        return identity;
      }
    }
    throw new PortholeError('not_signed_in');
  };
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
