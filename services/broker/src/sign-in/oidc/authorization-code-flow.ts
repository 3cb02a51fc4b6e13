import * as oidc from 'openid-client';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import type { Clock } from '@porthole/shared/time/clock';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { Context, Step } from '../../http/context.ts';
import { safeReturnPath } from '../return-path.ts';
import { limitByAddress, recordAttempt, type SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { BrowserBindingCookie } from './browser-binding-cookie.ts';
import type { PendingAuthorizations } from './pending-authorizations.ts';
import { describeError, type Issuer } from './issuer.ts';
import { providerRefsOf } from './provider-refs.ts';
import { profileFromClaims, userFromProfile, type OidcLoginData } from './profile.ts';

export interface AuthorizationDeps extends SignInAttemptDeps {
  readonly config: OidcConfig;
  readonly issuer: Issuer;
  readonly pending: PendingAuthorizations;
  readonly bindingCookie: BrowserBindingCookie;
  readonly publicUrl: URL;
  readonly random: RandomBytes;
  readonly clock: Clock;
}

export const oidcMethodName = (config: Pick<OidcConfig, 'name'>): string => `oidc:${config.name}`;

/** GET /api/v1/login/oidc/{name}: to the issuer, with PKCE (RFC 7636), state and nonce. */
export function startAuthorization(deps: AuthorizationDeps): Step {
  return (ctx) =>
    redirectOnError(deps, ctx, async () => {
      await limitByAddress(deps, ctx.ip);
      const issuer = await deps.issuer.configuration();
      const browser = deps.bindingCookie.read(ctx.get('cookie')) ?? deps.random(32).toString('base64url');
      const [codeVerifier, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomNonce()];
      const returnTo = safeReturnPath(ctx.query['return'], deps.publicUrl);
      const state = await deps.pending.create(
        { method: oidcMethodName(deps.config), nonce, codeVerifier, returnTo },
        browser,
      );
      const target = oidc.buildAuthorizationUrl(issuer, {
        redirect_uri: callbackUrl(deps).href,
        scope: deps.config.scopes.join(' '),
        code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      ctx.append('set-cookie', deps.bindingCookie.set(browser));
      ctx.redirect(target.href);
      ctx.status = 303;
    });
}

/** GET /api/v1/login/oidc/{name}/callback: back from the issuer. */
export function handleCallback(deps: AuthorizationDeps): Step {
  const { config } = deps;
  return (ctx) =>
    redirectOnError(deps, ctx, async () => {
      await limitByAddress(deps, ctx.ip);
      const { state } = ctx.query;
      const begun = await deps.pending.take(
        typeof state === 'string' ? state : '',
        deps.bindingCookie.read(ctx.get('cookie')),
      );
      if (begun.method !== oidcMethodName(config))
        throw new PortholeError('sign_in_expired', { detail: 'begun at another issuer' });
      const issuer = await deps.issuer.configuration();
      const back = new URL(`${callbackUrl(deps).pathname}${ctx.search}`, deps.publicUrl);
      const tokens = await withProviderErrors(() =>
        oidc.authorizationCodeGrant(issuer, back, {
          expectedState: typeof state === 'string' ? state : '',
          expectedNonce: begun.nonce,
          pkceCodeVerifier: begun.codeVerifier,
          idTokenExpected: true,
        }),
      );
      const facts = await fetchLoginData(deps, issuer, tokens);
      const user = userFromProfile(oidcMethodName(config), facts);
      ctx.state.user = user;
      await deps.logins.start(ctx, {
        method: oidcMethodName(config),
        data: facts,
        user,
        providerRefs: providerRefsOf(config, { sub: facts.subject, sid: tokens.claims()?.['sid'] }),
      });
      ctx.redirect(begun.returnTo);
      ctx.status = 303;
    });
}

/** Who it is, by the ID token, and by userinfo where that holds no groups. */
export async function fetchLoginData(
  deps: Pick<AuthorizationDeps, 'config' | 'clock'>,
  issuer: oidc.Configuration,
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  before?: OidcLoginData,
): Promise<OidcLoginData> {
  const inToken: Record<string, unknown> = { ...tokens.claims() };
  const subject = before?.subject ?? String(inToken['sub']);
  const complete = profileFromClaims(deps.config, inToken);
  const needsMore = complete === undefined || complete.groups.length === 0;
  const more =
    needsMore && issuer.serverMetadata().userinfo_endpoint !== undefined
      ? await withProviderErrors(() => oidc.fetchUserInfo(issuer, tokens.access_token, subject))
      : {};
  const person = profileFromClaims(deps.config, { ...inToken, ...more });
  if (!person)
    throw new PortholeError('sign_in_refused', {
      detail: `none of the claims ${deps.config.claims.name.join(', ')} holds a name`,
    });
  if (person.subject !== subject)
    throw new PortholeError('sign_in_refused', { detail: 'the issuer names another subject than before' });
  const refreshToken = tokens.refresh_token ?? before?.refreshToken;
  return {
    ...person,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    checkedAt: deps.clock.now(),
  };
}

/** What the issuer or the network did, as one of our errors. */
async function withProviderErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refused =
      error instanceof oidc.AuthorizationResponseError ||
      (error instanceof oidc.ResponseBodyError && error.status < 500);
    throw new PortholeError(refused ? 'sign_in_refused' : 'sign_in_provider_unavailable', {
      detail: describeError(error),
    });
  }
}

/** The browser shows what comes, so a failure leads to the sign-in page, which says what happened. */
async function redirectOnError(
  deps: AuthorizationDeps,
  ctx: Context,
  work: () => Promise<void>,
): Promise<void> {
  ctx.state.route = 'login';
  try {
    if (ctx.path.endsWith('/callback')) await recordAttempt(deps, ctx, oidcMethodName(deps.config), work);
    else await work();
  } catch (thrown) {
    const error = asPortholeError(thrown);
    deps.log.warn(
      { method: oidcMethodName(deps.config), code: error.code, detail: error.detail },
      'no sign-in',
    );
    ctx.redirect(`/?${new URLSearchParams({ why: error.code }).toString()}`);
    ctx.status = 303;
  }
}

function callbackUrl({ config, publicUrl }: Pick<AuthorizationDeps, 'config' | 'publicUrl'>): URL {
  return new URL(`/api/v1/login/oidc/${config.name}/callback`, publicUrl);
}
