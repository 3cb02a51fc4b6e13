import * as oidc from 'openid-client';
import { urlBelow } from '@porthole/shared/http/base-path';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import { createLoginRefresher } from '../logins/login-refresher.ts';
import type { LoginResolver } from '../logins/login-resolver.ts';
import type { Login } from '../logins/login-sessions.ts';
import { describeError, type Issuer } from './issuer.ts';
import { fetchLoginData, oidcLoginData, oidcMethodName, type OidcLoginData } from './login-data.ts';
import { userFromProfile } from './profile.ts';

export interface OidcLoginResolverDeps {
  readonly config: OidcConfig;
  readonly issuer: Issuer;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release'>;
  readonly publicUrl: URL;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Ends a sign-in that the provider ended, and its consoles. */
  readonly revoke: (login: Login) => Promise<void>;
}

/**
 * Resolves sign-ins by an OpenID Connect provider. If the provider issues refresh tokens, it is asked again every
 * `refreshSeconds`, so a disabled account or a changed group applies soon. While the provider does not answer, the last
 * known data stays valid.
 */
export function createOidcLoginResolver(deps: OidcLoginResolverDeps): LoginResolver {
  const { config, clock, log } = deps;
  const method = oidcMethodName(config);
  const isDue = ({ refreshToken, refreshedAt }: OidcLoginData) =>
    refreshToken !== undefined && clock.now() - refreshedAt >= config.refreshSeconds * 1000;

  const refresh = createLoginRefresher<OidcLoginData>({
    ...deps,
    method,
    parse: (data) => oidcLoginData.safeParse(data).data,
    isDue,
    async refresh(data) {
      const issuer = await deps.issuer.configuration();
      const tokens = await refreshTokens(issuer, data.refreshToken ?? '');
      try {
        return await fetchLoginData(deps, issuer, tokens, data);
      } catch (thrown) {
        const { code, detail } = asPortholeError(thrown);
        log.warn({ method, code, detail }, 'the user of a refreshed sign-in could not be read');
        // The old refresh token may be used up, so the new one must be stored in any case.
        return { ...data, refreshToken: tokens.refresh_token ?? data.refreshToken };
      }
    },
  });

  return {
    method,
    async resolveUser(login) {
      let data = oidcLoginData.safeParse(login.data).data;
      if (data && isDue(data)) data = await refresh(login, data);
      return data && userFromProfile(method, data);
    },
    // Without id_token_hint, because a token does not belong in a URL, and a form post would not carry the provider's
    // cookie. The provider may therefore ask for confirmation (OpenID Connect RP-Initiated Logout 1.0, section 2).
    async providerSignOutUrl() {
      if (!config.rpInitiatedLogout) return undefined;
      const { end_session_endpoint: endpoint } = (await deps.issuer.configuration()).serverMetadata();
      if (endpoint === undefined) return undefined;
      const url = new URL(endpoint);
      url.searchParams.set('client_id', config.clientId);
      url.searchParams.set('post_logout_redirect_uri', urlBelow(deps.publicUrl, '/?why=signed-out').href);
      return url.href;
    },
  };
}

/** Rejects with `not_signed_in` if the token was revoked or expired (RFC 6749, section 5.2). */
async function refreshTokens(issuer: oidc.Configuration, refreshToken: string) {
  try {
    return await oidc.refreshTokenGrant(issuer, refreshToken);
  } catch (error) {
    const refused = error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant';
    throw new PortholeError(refused ? 'not_signed_in' : 'sign_in_provider_unavailable', {
      detail: describeError(error),
    });
  }
}
