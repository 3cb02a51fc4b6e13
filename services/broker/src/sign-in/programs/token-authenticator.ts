import { PortholeError } from '@porthole/shared/errors';
import type { RateLimits } from '@porthole/shared/store/ports';
import { addressKey } from '@porthole/shared/http/address-key';
import { digest } from '@porthole/shared/store/keys';
import type { ImpersonationConfig } from '@porthole/shared/config/sign-in-schema';
import { bearerTokenOf } from '../../http/bearer-token.ts';
import type { Authenticator } from '../authenticator.ts';
import { createImpersonationPolicy } from './impersonation-policy.ts';

/** Who a token belongs to. */
export interface TokenOwner {
  /** Unique over all of them: "program:portal:client-7", "serviceaccount:lab:grader". */
  readonly id: string;
  readonly name: string;
  readonly impersonation: ImpersonationConfig | undefined;
}

/** Looks at a token; undefined when it is none of its kind. Throws `token_invalid` when it is and does not count. */
export type TokenVerifier = (token: string) => Promise<TokenOwner | undefined>;

/** Tokens of Kubernetes and of issuers stay well below; more is an attempt. */
const maxTokenLength = 16 * 1024;
/** Of one address. A portal asks for a whole class at once. */
const perMinute = 3000;

export function createTokenAuthenticator(deps: {
  readonly verifiers: readonly TokenVerifier[];
  readonly rateLimits: RateLimits;
}): Authenticator {
  async function ownerOf(token: string): Promise<TokenOwner> {
    for (const check of deps.verifiers) {
      const owner = await check(token);
      if (owner) return owner;
    }
    throw new PortholeError('token_invalid', { detail: 'no issuer of ours' });
  }

  return async (ctx) => {
    if (ctx.get('authorization') === '') return undefined;
    const token = bearerTokenOf(ctx);
    if (token === undefined || token.length > maxTokenLength)
      throw new PortholeError('token_invalid', { detail: 'not a bearer token' });
    await deps.rateLimits.spend(`bearer/${addressKey(ctx.ip)}`, perMinute, 60);
    const owner = await ownerOf(token);
    const { id, name } = owner;
    return {
      user: { id, name, groups: [], kind: 'program' },
      loginRef: digest(`program login/${id}`).slice(0, 32),
      program: { id, name, impersonate: createImpersonationPolicy(id, owner.impersonation) },
    };
  };
}
