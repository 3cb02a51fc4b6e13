import type { Clock } from '../time/clock.ts';
import { PortholeError } from '../errors.ts';
import { grantClaims, type GrantClaims } from './claims.ts';
import type { RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { createToken } from '../crypto/token.ts';
import { storeKeys } from '../store/keys.ts';
import type { RecordStore } from '../store/ports.ts';
import {
  byToken,
  deleteSealed,
  putSealed,
  takeSealed,
  type RecordProblem,
  type SealedRecordType,
} from '../store/sealed-records.ts';

const grantRecord = {
  purpose: 'porthole grant v1',
  schema: grantClaims,
  locate: byToken(storeKeys.grant),
} satisfies SealedRecordType<string, GrantClaims>;

/** For the log. The viewer learns only that the grant is invalid. */
const details: Record<RecordProblem, string> = {
  malformed_id: 'malformed token',
  not_found: 'unknown, used or expired',
  not_authentic: 'the record does not open',
  invalid: 'claims of another version',
};

export interface GrantDeps {
  readonly records: Pick<RecordStore, 'put' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}

/** Stores the sealed grant and answers its token. Only the bearer of the token can take the grant. */
export async function mintGrant(deps: GrantDeps, claims: GrantClaims): Promise<string> {
  const token = createToken(deps.random);
  await putSealed(deps, grantRecord, token, claims, claims.expiresAt - deps.clock.now());
  return token;
}

/**
 * Takes the grant out of the store in one atomic step and opens it. Rejects with `grant_invalid` if the token is
 * malformed, unknown, used or expired, or if its record was forged or altered. `detail` tells the log which.
 */
export async function takeGrant(deps: Omit<GrantDeps, 'random'>, token: string): Promise<GrantClaims> {
  const { value, problem } = await takeSealed(deps, grantRecord, token);
  if (!value) throw new PortholeError('grant_invalid', { detail: details[problem] });
  // The store expires the record, but a record that was put back later must stay invalid.
  if (value.expiresAt <= deps.clock.now()) throw new PortholeError('grant_invalid', { detail: 'expired' });
  return value;
}

/** Makes the token invalid, unless the grant was taken before. */
export async function revokeGrant(records: Pick<RecordStore, 'delete'>, token: string): Promise<void> {
  await deleteSealed(records, grantRecord, token);
}
