import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { takeGrant } from '@porthole/shared/grant/grant';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { RecordStore } from '@porthole/shared/store/ports';

/** What a browser presents when it connects. */
export interface Presented {
  /** From the secret subprotocol; undefined when there was none. */
  readonly token: string | undefined;
  readonly origin: string | undefined;
}

export interface AdmitDeps {
  readonly records: RecordStore;
  readonly keys: SealKeys;
  readonly clock: Clock;
  /** Origins that may open consoles at all. */
  readonly origins: ReadonlySet<string>;
}

/**
 * Turns what a browser presents into claims. The origin comes first: a foreign page costs the store nothing.
 * The grant is used up whatever follows, so a token that leaked to the wrong place is worth nothing afterwards.
 */
export async function admit(deps: AdmitDeps, { token, origin }: Presented): Promise<GrantClaims> {
  if (origin === undefined || !deps.origins.has(origin))
    throw new PortholeError('origin_not_allowed', { detail: `origin ${origin ?? 'missing'}` });
  if (token === undefined) throw new PortholeError('grant_invalid', { detail: 'no grant presented' });
  const claims = await takeGrant(deps, token);
  if (!claims.origins.includes(origin))
    throw new PortholeError('origin_not_allowed', { detail: `the grant is not for origin ${origin}` });
  return claims;
}
