import type { LtiConfig, LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import { PortholeError } from '@porthole/shared/errors';

/** The origins whose pages may show launches and consoles in a frame, and get the answers of teachers. */
export function platformOrigins({ issuer, authorizationUrl, origins }: LtiPlatformConfig): readonly string[] {
  return origins ?? [...new Set([new URL(issuer).origin, authorizationUrl.origin])];
}

export function allPlatformOrigins(config: LtiConfig | undefined): readonly string[] {
  return [...new Set(config?.platforms.flatMap(platformOrigins))];
}

/** Finds the platform of a login request. Platforms with several registrations must send the client id. */
export function findPlatform(
  platforms: readonly LtiPlatformConfig[],
  issuer: string,
  clientId: string | undefined,
): LtiPlatformConfig {
  const [found, ...more] = platforms.filter(
    (each) => each.issuer === issuer && (clientId === undefined || each.clientId === clientId),
  );
  if (!found || more.length > 0)
    throw new PortholeError('lti_platform_unknown', {
      detail: found ? 'several registrations, and no client_id' : 'no registration',
    });
  return found;
}
