import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';

/** How an issuer names sign-ins in a logout token: by whose they are, or by its own session. */
export function providerRefsOf(
  config: Pick<OidcConfig, 'name'>,
  named: { readonly sub?: unknown; readonly sid?: unknown },
): string[] {
  return (['sub', 'sid'] as const).flatMap((claim) => {
    const value = named[claim];
    return typeof value === 'string' && value !== '' ? [`oidc/${config.name}/${claim}/${value}`] : [];
  });
}
