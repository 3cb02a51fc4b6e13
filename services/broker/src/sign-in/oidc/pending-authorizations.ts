import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createToken } from '@porthole/shared/crypto/token';
import { digest, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import { byToken, putSealed, takeSealed, type SealedRecordType } from '@porthole/shared/store/sealed-records';

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

const authorizationRecord = {
  purpose: 'porthole pending authorization v1',
  schema: pendingAuthorization,
  locate: byToken(storeKeys.pendingAuthorization),
} satisfies SealedRecordType<string, PendingAuthorization>;

export function createPendingAuthorizations(deps: {
  readonly records: Pick<RecordStore, 'put' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): PendingAuthorizations {
  return {
    async create(authorization, browserSecret) {
      const state = createToken(deps.random);
      const record = { ...authorization, browserDigest: digest(browserSecret) };
      await putSealed(deps, authorizationRecord, state, record, lifetimes.pendingAuthorization);
      return state;
    },
    async take(state, browserSecret) {
      const fail = (detail: string) => new PortholeError('sign_in_expired', { detail });
      const { value, problem } = await takeSealed(deps, authorizationRecord, state);
      if (!value) throw fail(problem === 'malformed_id' ? 'malformed state' : 'unknown, used or expired');
      if (browserSecret === undefined || digest(browserSecret) !== value.browserDigest)
        throw fail('started in another browser');
      return value;
    },
  };
}
