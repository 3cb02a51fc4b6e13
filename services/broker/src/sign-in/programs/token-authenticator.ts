import { PortholeError } from '@porthole/shared/errors';
import { addressKey } from '@porthole/shared/http/address-key';
import { digest } from '@porthole/shared/store/keys';
import type { RateLimits } from '@porthole/shared/store/ports';
import { bearerTokenOf } from '../../http/credentials.ts';
import type { ImpersonationPolicy } from '../../identity/identity.ts';
import type { Authenticator } from '../require-login.ts';

/** The program that a token belongs to. */
export interface TokenOwner {
  /** Unique over all issuers: "program:portal:client-7", "serviceaccount:lab:grader". */
  readonly id: string;
  readonly name: string;
  readonly impersonate: ImpersonationPolicy;
}

/** Returns the owner of a token, or undefined if another verifier is responsible. Throws `token_invalid`. */
export type TokenVerifier = (token: string) => Promise<TokenOwner | undefined>;

/** Tokens of Kubernetes and of identity providers are much shorter. */
const maxTokenLength = 16 * 1024;
/** For each address. A portal opens the consoles of a whole class at once. */
const perMinute = 3000;

/** Identifies programs by `Authorization: Bearer …`. Throws `token_invalid` for any other Authorization header. */
export function createTokenAuthenticator({
  verifiers,
  rateLimits,
}: {
  readonly verifiers: readonly TokenVerifier[];
  readonly rateLimits: RateLimits;
}): Authenticator {
  async function ownerOf(token: string): Promise<TokenOwner> {
    for (const verify of verifiers) {
      const owner = await verify(token);
      if (owner) return owner;
    }
    throw new PortholeError('token_invalid', { detail: 'unknown issuer' });
  }

  return async (ctx) => {
    if (ctx.get('authorization') === '') return undefined;
    const token = bearerTokenOf(ctx);
    if (token === undefined || token.length > maxTokenLength)
      throw new PortholeError('token_invalid', { detail: 'not a bearer token' });
    await rateLimits.spend(`bearer/${addressKey(ctx.ip)}`, perMinute, 60);
    const { id, name, impersonate } = await ownerOf(token);
    return {
      user: { id, name, groups: [], kind: 'program' },
      loginRef: digest(`program login/${id}`).slice(0, 32),
      program: { id, name, impersonate },
    };
  };
}
