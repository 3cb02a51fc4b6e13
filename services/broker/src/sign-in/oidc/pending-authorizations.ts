import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';

/** An authorization between the redirect to the provider and the callback. */
const pendingAuthorization = z.object({
  method: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** The path to redirect to after the sign-in. */
  returnTo: z.string(),
  /** The digest of the binding cookie: only the browser that started the authorization can complete it. */
  browserDigest: z.string(),
});
export type PendingAuthorization = z.infer<typeof pendingAuthorization>;

export interface PendingAuthorizations {
  /** Returns the `state` parameter. */
  create(authorization: Omit<PendingAuthorization, 'browserDigest'>, browserSecret: string): Promise<string>;
  /** Works once for each state. Rejects with `sign_in_expired`. */
  take(state: string, browserSecret: string | undefined): Promise<PendingAuthorization>;
}

const statePattern = /^[A-Za-z0-9_-]{43}$/;

export function createPendingAuthorizations(deps: {
  readonly records: Pick<RecordStore, 'put' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): PendingAuthorizations {
  const { records, keys, random } = deps;
  return {
    async create(authorization, browserSecret) {
      const token = random(32);
      const context = contextOf(token);
      const record = {
        ...authorization,
        browserDigest: digest(browserSecret),
      } satisfies PendingAuthorization;
      await records.put(
        context.storeKey,
        seal(keys, random, context, JSON.stringify(record)),
        lifetimes.pendingAuthorization,
      );
      return token.toString('base64url');
    },
    async take(state, browserSecret) {
      const fail = (detail: string) => new PortholeError('sign_in_expired', { detail });
      if (!statePattern.test(state)) throw fail('malformed state');
      const context = contextOf(Buffer.from(state, 'base64url'));
      const sealed = await records.take(context.storeKey);
      const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
      const parsed = pendingAuthorization.safeParse(plain === undefined ? undefined : parseJson(plain));
      if (!parsed.success) throw fail('unknown, used or expired');
      if (browserSecret === undefined || digest(browserSecret) !== parsed.data.browserDigest)
        throw fail('started in another browser');
      return parsed.data;
    },
  };
}

function contextOf(token: Uint8Array): SealContext {
  return { token, purpose: 'porthole sign-in v1', storeKey: storeKeys.pendingAuthorization(token) };
}
