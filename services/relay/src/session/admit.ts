import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { takeGrant } from '@porthole/shared/grant/grant';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { RecordStore } from '@porthole/shared/store/ports';
import type { UpgradeCredentials } from '../viewer/upgrade.ts';

export interface AdmitDeps {
  readonly records: RecordStore;
  readonly keys: SealKeys;
  readonly clock: Clock;
  /** Origins that may open consoles at all. */
  readonly origins: ReadonlySet<string>;
}

/**
 * Exchanges the credentials of an upgrade for the claims of its grant. The origin is checked first, so that a foreign
 * page causes no call to the store. The grant is used up whatever follows, so a leaked token is worth nothing afterwards.
 * Rejects with `origin_not_allowed`, `grant_invalid` or `store_unavailable`.
 */
export async function admit(deps: AdmitDeps, { token, origin }: UpgradeCredentials): Promise<GrantClaims> {
  if (origin === undefined || !deps.origins.has(origin))
    throw new PortholeError('origin_not_allowed', { detail: `origin ${origin ?? 'missing'}` });
  if (token === undefined) throw new PortholeError('grant_invalid', { detail: 'no grant presented' });
  const claims = await takeGrant(deps, token);
  if (!claims.origins.includes(origin))
    throw new PortholeError('origin_not_allowed', { detail: `the grant is not for origin ${origin}` });
  return claims;
}
