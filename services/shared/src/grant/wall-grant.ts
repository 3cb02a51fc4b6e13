import { createToken } from '../crypto/token.ts';
import { PortholeError } from '../errors.ts';
import { storeKeys } from '../store/keys.ts';
import { byToken, putSealed, takeSealed, type SealedRecordType } from '../store/sealed-records.ts';
import type { GrantDeps } from './grant.ts';
import { wallClaims, type WallClaims } from './wall-claims.ts';

/** Its purpose is its own: neither is a wall grant a grant for a console, nor the other way round. */
const wallGrant = {
  purpose: 'porthole wall grant v1',
  schema: wallClaims,
  locate: byToken(storeKeys.wallGrant),
} satisfies SealedRecordType<string, WallClaims>;

/** Stores the sealed wall grant and answers its token. Only the bearer of the token can take it. */
export async function mintWallGrant(deps: GrantDeps, claims: WallClaims): Promise<string> {
  const token = createToken(deps.random);
  await putSealed(deps, wallGrant, token, claims, claims.expiresAt - deps.clock.now());
  return token;
}

/** Takes the wall grant out of the store in one atomic step and opens it. Rejects with `grant_invalid`. */
export async function takeWallGrant(deps: Omit<GrantDeps, 'random'>, token: string): Promise<WallClaims> {
  const { value, problem } = await takeSealed(deps, wallGrant, token);
  if (!value) throw new PortholeError('grant_invalid', { detail: `wall: ${problem}` });
  // A record that was put back later stays invalid.
  if (value.expiresAt <= deps.clock.now())
    throw new PortholeError('grant_invalid', { detail: 'wall: expired' });
  return value;
}
