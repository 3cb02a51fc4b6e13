import { PortholeError } from '@porthole/shared/errors';
import type { WallClaims } from '@porthole/shared/grant/wall-claims';
import { takeWallGrant } from '@porthole/shared/grant/wall-grant';
import type { AdmitDeps } from '../session/admit.ts';
import type { UpgradeCredentials } from '../viewer/upgrade.ts';

/** Exchanges the credentials of an upgrade for the claims of its wall grant, like `admit` does for a console. */
export async function admitWall(deps: AdmitDeps, { token, origin }: UpgradeCredentials): Promise<WallClaims> {
  if (origin === undefined || !deps.origins.has(origin))
    throw new PortholeError('origin_not_allowed', { detail: `origin ${origin ?? 'missing'}` });
  if (token === undefined) throw new PortholeError('grant_invalid', { detail: 'no wall grant presented' });
  const claims = await takeWallGrant(deps, token);
  // It would open a wall that no audit event announces.
  if (claims.renews) throw new PortholeError('grant_invalid', { detail: 'the grant renews a wall' });
  if (!claims.origins.includes(origin))
    throw new PortholeError('origin_not_allowed', { detail: `the wall grant is not for origin ${origin}` });
  return claims;
}
