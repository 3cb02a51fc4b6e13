import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import { PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import { createBoundedFetch } from './bounded-fetch.ts';
import { parseLaunchClaims, type LaunchMessage } from './launch-message.ts';

/** Verifies the ID token of a launch. Rejects with `lti_launch_invalid` or `sign_in_provider_unavailable`. */
export type VerifyLaunch = (idToken: string, nonce: string) => Promise<LaunchMessage>;

/** Real messages have a few KiB. */
export const maxTokenLength = 48 * 1024;
const maxKeysBytes = 256 * 1024;
/** Seconds by which the clocks of platform and broker may differ. */
const clockTolerance = 60;
/** A user may sign in at the platform in between. */
const maxTokenAge = 600;

export function createLaunchVerifier(platform: LtiPlatformConfig, clock: Pick<Clock, 'now'>): VerifyLaunch {
  const keys = createPlatformKeys(platform);
  return async (idToken, nonce) => {
    if (idToken.length > maxTokenLength) throw invalid('the token is too long');
    const { payload } = await jwtVerify(idToken, keys, {
      issuer: platform.issuer,
      audience: platform.clientId,
      // Asymmetric algorithms only, so that no attacker can sign with a public key as the secret.
      algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
      requiredClaims: ['exp', 'iat', 'nonce', 'sub'],
      clockTolerance,
      maxTokenAge,
      currentDate: new Date(clock.now()),
    }).catch((error: unknown) => {
      throw errorOf(error);
    });
    // OpenID Connect Core, section 3.1.3.7, steps 4 and 5.
    const { aud, azp } = payload as { aud?: unknown; azp?: unknown };
    if ((Array.isArray(aud) && aud.length > 1 && azp === undefined) || !isAbsentOr(azp, platform.clientId))
      throw invalid('azp is not the client id');
    if (payload['nonce'] !== nonce) throw invalid('nonce');
    const parsed = parseLaunchClaims(platform, payload);
    if (!parsed.ok) throw invalid(parsed.detail);
    return parsed.message;
  };
}

/** Cached for ten minutes, and fetched again for an unknown key ID, at most every 30 seconds. */
function createPlatformKeys({ jwksUrl, caFile }: LtiPlatformConfig): JWTVerifyGetKey {
  const fetchKeys = createBoundedFetch(caFile, maxKeysBytes);
  return createRemoteJWKSet(jwksUrl, {
    timeoutDuration: 5000,
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    [customFetch]: (url, options) => fetchKeys(url, options),
  });
}

const isAbsentOr = (value: unknown, wanted: string) => value === undefined || value === wanted;

const invalid = (detail: string) => new PortholeError('lti_launch_invalid', { detail });

/** Names the reason by its code, because messages of the library can quote the token. */
function errorOf(error: unknown): PortholeError {
  // These two concern the platform's keys and not the token. Other errors that are not of the library come from `fetch`.
  const keysFailed =
    !(error instanceof errors.JOSEError) ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === 'ERR_JOSE_GENERIC';
  if (keysFailed)
    return new PortholeError('sign_in_provider_unavailable', {
      detail: `the keys of the platform: ${error instanceof Error ? error.name : 'unknown'}`,
    });
  const claim = error instanceof errors.JWTClaimValidationFailed ? ` ${error.claim}` : '';
  return invalid(`${error.code}${claim}`);
}
