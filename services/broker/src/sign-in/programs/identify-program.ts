import { PortholeError } from '@porthole/shared/errors';
import type { RateLimits } from '@porthole/shared/store/ports';
import { addressKey } from '@porthole/shared/http/address-key';
import { digest } from '@porthole/shared/store/keys';
import type { ImpersonationConfig } from '@porthole/shared/config/sign-in-schema';
import type { Context } from '../../http/context.ts';
import type { Identity } from '../identify.ts';
import { createActFor } from './may-act.ts';

/** Who a token belongs to. */
export interface TokenOwner {
  /** Unique over all of them: "program:portal:client-7", "serviceaccount:lab:grader". */
  readonly id: string;
  readonly name: string;
  readonly impersonation: ImpersonationConfig | undefined;
}

/** Looks at a token; undefined when it is none of its kind. Throws `token_invalid` when it is and does not count. */
export type TokenCheck = (token: string) => Promise<TokenOwner | undefined>;

/** Whoever sends `Authorization: Bearer …`; undefined when nobody does. */
export type ProgramIdentity = (ctx: Context) => Promise<Identity | undefined>;

/** Tokens of Kubernetes and of issuers stay well below; more is an attempt. */
const longestToken = 16 * 1024;
/** Of one address. A portal asks for a whole class at once. */
const perMinute = 3000;

export const bearerPattern = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

export function createProgramIdentity(deps: {
  readonly checks: readonly TokenCheck[];
  readonly rateLimits: RateLimits;
}): ProgramIdentity {
  async function ownerOf(token: string): Promise<TokenOwner> {
    for (const check of deps.checks) {
      const owner = await check(token);
      if (owner) return owner;
    }
    throw new PortholeError('token_invalid', { detail: 'no issuer of ours' });
  }

  return async (ctx) => {
    const header = ctx.get('authorization');
    if (header === '') return undefined;
    const token = bearerPattern.exec(header)?.[1];
    if (token === undefined || token.length > longestToken)
      throw new PortholeError('token_invalid', { detail: 'not a bearer token' });
    await deps.rateLimits.spend(`bearer/${addressKey(ctx.ip)}`, perMinute, 60);
    const owner = await ownerOf(token);
    const { id, name } = owner;
    return {
      user: { id, name, groups: [], kind: 'program' },
      loginRef: digest(`program login/${id}`).slice(0, 32),
      program: { id, name, actFor: createActFor(id, owner.impersonation) },
    };
  };
}
