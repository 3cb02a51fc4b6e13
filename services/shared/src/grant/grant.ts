import type { Clock } from '../time/clock.ts';
import { PortholeError } from '../errors.ts';
import { grantClaims, type GrantClaims } from './claims.ts';
import { parseJson } from '../parse-json.ts';
import type { RandomBytes } from '../crypto/random.ts';
import { seal, unseal, type SealContext, type SealKeys } from '../crypto/seal.ts';
import { storeKeys } from '../store/keys.ts';
import type { RecordStore } from '../store/ports.ts';

/** 32 random bytes; 43 characters in base64url, so it fits a WebSocket subprotocol. */
const tokenBytes = 32;
const tokenPattern = /^[A-Za-z0-9_-]{43}$/;
const purpose = 'porthole grant v1';

export interface GrantDeps {
  readonly records: Pick<RecordStore, 'put' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}

/** Writes the sealed grant to the store and answers the token: the only thing in the world that can take it. */
export async function mintGrant(deps: GrantDeps, claims: GrantClaims): Promise<string> {
  const token = deps.random(tokenBytes);
  const context = contextOf(token);
  const sealed = seal(deps.keys, deps.random, context, JSON.stringify(claims));
  await deps.records.put(context.storeKey, sealed, claims.expiresAt - deps.clock.now());
  return token.toString('base64url');
}

/**
 * Takes the grant out of the store, in one atomic step, and opens it. Rejects with `grant_invalid` when the
 * token is malformed, unknown, used, expired, or its record was forged or altered; `detail` tells the log which.
 */
export async function takeGrant(deps: Omit<GrantDeps, 'random'>, token: string): Promise<GrantClaims> {
  if (!tokenPattern.test(token)) throw new PortholeError('grant_invalid', { detail: 'malformed token' });
  const context = contextOf(Buffer.from(token, 'base64url'));
  const sealed = await deps.records.take(context.storeKey);
  if (sealed === undefined) throw new PortholeError('grant_invalid', { detail: 'unknown, used or expired' });
  const plain = unseal(deps.keys, context, sealed);
  if (plain === undefined) throw new PortholeError('grant_invalid', { detail: 'the record does not open' });
  const claims = grantClaims.safeParse(parseJson(plain));
  if (!claims.success) throw new PortholeError('grant_invalid', { detail: 'claims of another version' });
  // The store's clock decides too, but a record that was put back later must not live again.
  if (claims.data.expiresAt <= deps.clock.now())
    throw new PortholeError('grant_invalid', { detail: 'expired' });
  return claims.data;
}

/** Makes the token worthless, if nobody has taken it yet. */
export async function revokeGrant(records: Pick<RecordStore, 'delete'>, token: string): Promise<void> {
  await records.delete(storeKeys.grant(Buffer.from(token, 'base64url')));
}

function contextOf(token: Uint8Array): SealContext {
  return { token, purpose, storeKey: storeKeys.grant(token) };
}
