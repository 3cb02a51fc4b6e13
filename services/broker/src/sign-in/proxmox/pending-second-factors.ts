import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createToken } from '@porthole/shared/crypto/token';
import { lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import {
  byToken,
  deleteSealed,
  getSealed,
  putSealed,
  type SealedRecordType,
} from '@porthole/shared/store/sealed-records';
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

const secondFactorRecord = {
  purpose: 'porthole second factor v1',
  schema: pendingSecondFactor,
  locate: byToken(storeKeys.secondFactor),
} satisfies SealedRecordType<string, PendingSecondFactor>;

export function createPendingSecondFactors(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get' | 'delete'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): PendingSecondFactors {
  return {
    async create(cluster, challenge) {
      const id = createToken(deps.random);
      const record = { cluster, ...challenge, factors: [...challenge.factors] };
      await putSealed(deps, secondFactorRecord, id, record, lifetimes.secondFactor);
      return id;
    },
    async find(id) {
      const { value } = await getSealed(deps, secondFactorRecord, id);
      if (!value) throw new PortholeError('sign_in_expired', { detail: 'unknown, used or expired' });
      return value;
    },
    delete: (id) => deleteSealed(deps.records, secondFactorRecord, id),
  };
}
