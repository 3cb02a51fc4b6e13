import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';

/** A sign-in between the button and the way back. */
const pendingAuthorization = z.object({
  method: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** A path of ours to go on to. */
  returnTo: z.string(),
  /** The browser that began it, by the digest of its cookie: nobody else's way back counts. */
  browser: z.string(),
});
export type PendingAuthorization = z.infer<typeof pendingAuthorization>;

export interface PendingAuthorizations {
  /** Answers the `state` that comes back. */
  create(signIn: Omit<PendingAuthorization, 'browser'>, browserSecret: string): Promise<string>;
  /** Once. Rejects with `sign_in_expired`. */
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
    async create(signIn, browserSecret) {
      const token = random(32);
      const context = contextOf(token);
      const record = { ...signIn, browser: digest(browserSecret) } satisfies PendingAuthorization;
      await records.put(
        context.storeKey,
        seal(keys, random, context, JSON.stringify(record)),
        lifetimes.pendingAuthorization,
      );
      return token.toString('base64url');
    },
    async take(state, browserSecret) {
      const fail = (detail: string) => new PortholeError('sign_in_expired', { detail });
      if (!statePattern.test(state)) throw fail('no state of ours');
      const context = contextOf(Buffer.from(state, 'base64url'));
      const sealed = await records.take(context.storeKey);
      const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
      const begun = pendingAuthorization.safeParse(plain === undefined ? undefined : parseJson(plain));
      if (!begun.success) throw fail('unknown, used or expired');
      if (browserSecret === undefined || digest(browserSecret) !== begun.data.browser)
        throw fail('begun in another browser');
      return begun.data;
    },
  };
}

function contextOf(token: Uint8Array): SealContext {
  return { token, purpose: 'porthole sign-in v1', storeKey: storeKeys.pendingAuthorization(token) };
}
