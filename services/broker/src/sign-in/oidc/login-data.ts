import * as oidc from 'openid-client';
import { z } from 'zod';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import { describeError } from './issuer.ts';
import { profileFromClaims } from './profile.ts';

/** The stored data of a sign-in by a provider. */
export const oidcLoginData = z.object({
  subject: z.string(),
  name: z.string(),
  displayName: z.string().optional(),
  groups: z.array(z.string()),
  claims: z.record(z.string(), z.array(z.string())).optional(),
  refreshToken: z.string().optional(),
  /** When the provider last confirmed the data, in milliseconds since the epoch. */
  refreshedAt: z.number(),
});
export type OidcLoginData = z.infer<typeof oidcLoginData>;

export const oidcMethodName = (config: Pick<OidcConfig, 'name'>): string => `oidc:${config.name}`;

/** Returns the references by which the provider's logout tokens can name a sign-in: the subject and the session. */
export function providerRefsOf(
  config: Pick<OidcConfig, 'name'>,
  claims: { readonly sub?: unknown; readonly sid?: unknown },
): string[] {
  return (['sub', 'sid'] as const).flatMap((claim) => {
    const value = claims[claim];
    return typeof value === 'string' && value !== '' ? [`oidc/${config.name}/${claim}/${value}`] : [];
  });
}

/**
 * Reads the user from the ID token, and from userinfo if the ID token has no usable name or no groups. Rejects with
 * `sign_in_refused` if there is no name or the subject differs from `known`, or with `sign_in_provider_unavailable`.
 */
export async function fetchLoginData(
  { config, clock }: { readonly config: OidcConfig; readonly clock: Pick<Clock, 'now'> },
  issuer: oidc.Configuration,
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  known?: OidcLoginData,
): Promise<OidcLoginData> {
  const idToken: Record<string, unknown> = { ...tokens.claims() };
  const subject = known?.subject ?? String(idToken['sub']);
  const fromIdToken = profileFromClaims(config, idToken);
  const needsUserInfo = fromIdToken === undefined || fromIdToken.groups.length === 0;
  const userInfo =
    needsUserInfo && issuer.serverMetadata().userinfo_endpoint !== undefined
      ? await withProviderErrors(() => oidc.fetchUserInfo(issuer, tokens.access_token, subject))
      : {};
  const profile = profileFromClaims(config, { ...idToken, ...userInfo });
  if (!profile)
    throw new PortholeError('sign_in_refused', {
      detail: `none of the claims ${config.claims.name.join(', ')} holds a name`,
    });
  if (profile.subject !== subject)
    throw new PortholeError('sign_in_refused', { detail: 'the provider changed the subject' });
  const refreshToken = tokens.refresh_token ?? known?.refreshToken;
  return {
    ...profile,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    refreshedAt: clock.now(),
  };
}

/** Converts errors of the provider or the network to PortholeErrors. */
export async function withProviderErrors<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const refused =
      error instanceof oidc.AuthorizationResponseError ||
      (error instanceof oidc.ResponseBodyError && error.status < 500);
    throw new PortholeError(refused ? 'sign_in_refused' : 'sign_in_provider_unavailable', {
      detail: describeError(error),
    });
  }
}
