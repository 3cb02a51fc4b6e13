import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import type { TfaChallenge } from './authenticator.ts';
import { tfaFactors } from './tfa-challenge.ts';

const pendingSecondFactor = z.object({
  cluster: z.string(),
  userid: z.string(),
  challenge: z.string(),
  factors: z.array(z.enum(tfaFactors)),
});
type PendingSecondFactor = z.infer<typeof pendingSecondFactor>;

/** Sign-ins between the password and the second factor. The challenge stays in the store; the page gets only an ID. */
export interface PendingSecondFactors {
  /** Returns the ID. */
  create(cluster: string, challenge: TfaChallenge): Promise<string>;
  /** Rejects with `sign_in_expired`. */
  find(id: string): Promise<PendingSecondFactor>;
  delete(id: string): Promise<void>;
}

const idPattern = /^[A-Za-z0-9_-]{43}$/;

export function createPendingSecondFactors(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get' | 'delete'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): PendingSecondFactors {
  const { records, keys, random } = deps;
  return {
    async create(cluster, challenge) {
      const token = random(32);
      const context = contextOf(token);
      const record: PendingSecondFactor = { cluster, ...challenge, factors: [...challenge.factors] };
      await records.put(
        context.storeKey,
        seal(keys, random, context, JSON.stringify(record)),
        lifetimes.secondFactor,
      );
      return token.toString('base64url');
    },
    async find(id) {
      const context = idPattern.test(id) ? contextOf(Buffer.from(id, 'base64url')) : undefined;
      const sealed = context && (await records.get(context.storeKey));
      const plain = context && sealed !== undefined ? unseal(keys, context, sealed) : undefined;
      const parsed = pendingSecondFactor.safeParse(plain === undefined ? undefined : parseJson(plain));
      if (!parsed.success) throw new PortholeError('sign_in_expired', { detail: 'unknown, used or expired' });
      return parsed.data;
    },
    async delete(id) {
      await records.delete(contextOf(Buffer.from(id, 'base64url')).storeKey);
    },
  };
}

function contextOf(token: Uint8Array): SealContext {
  return { token, purpose: 'porthole second factor v1', storeKey: storeKeys.secondFactor(token) };
}
