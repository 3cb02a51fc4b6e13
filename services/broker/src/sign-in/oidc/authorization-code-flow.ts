import * as oidc from 'openid-client';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import { basePathOf, urlBelow, withoutBasePath } from '@porthole/shared/http/base-path';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import type { Context, Step } from '../../http/context.ts';
import { limitByAddress, recordAttempt, type SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { BrowserBindingCookie } from './browser-binding-cookie.ts';
import type { Issuer } from './issuer.ts';
import { fetchLoginData, oidcMethodName, providerRefsOf, withProviderErrors } from './login-data.ts';
import type { PendingAuthorizations } from './pending-authorizations.ts';
import { userFromProfile } from './profile.ts';

export interface AuthorizationDeps extends SignInAttemptDeps {
  readonly config: OidcConfig;
  readonly issuer: Issuer;
  readonly pending: PendingAuthorizations;
  readonly bindingCookie: BrowserBindingCookie;
  readonly publicUrl: URL;
  readonly random: RandomBytes;
  readonly clock: Clock;
}

/** GET /api/v1/login/oidc/{name}: redirects to the provider, with PKCE (RFC 7636), state, and nonce. */
export function startAuthorization(deps: AuthorizationDeps): Step {
  return (ctx) =>
    redirectOnError(deps, ctx, async () => {
      await limitByAddress(deps, ctx.ip);
      const issuer = await deps.issuer.configuration();
      const browserSecret =
        deps.bindingCookie.read(ctx.get('cookie')) ?? deps.random(32).toString('base64url');
      const [codeVerifier, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomNonce()];
      const returnTo = safeReturnPath(ctx.query['return'], deps.publicUrl);
      const state = await deps.pending.create(
        { method: oidcMethodName(deps.config), nonce, codeVerifier, returnTo },
        browserSecret,
      );
      const target = oidc.buildAuthorizationUrl(issuer, {
        redirect_uri: callbackUrl(deps).href,
        scope: deps.config.scopes.join(' '),
        code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      ctx.append('set-cookie', deps.bindingCookie.set(browserSecret));
      ctx.redirect(target.href);
      ctx.status = 303;
    });
}

/** GET /api/v1/login/oidc/{name}/callback: exchanges the provider's code and signs the user in. */
export function handleCallback(deps: AuthorizationDeps): Step {
  const { config } = deps;
  const method = oidcMethodName(config);
  return (ctx) =>
    redirectOnError(deps, ctx, () =>
      recordAttempt(deps, ctx, method, async () => {
        await limitByAddress(deps, ctx.ip);
        const state = typeof ctx.query['state'] === 'string' ? ctx.query['state'] : '';
        const pending = await deps.pending.take(state, deps.bindingCookie.read(ctx.get('cookie')));
        if (pending.method !== method)
          throw new PortholeError('sign_in_expired', { detail: 'started at another provider' });
        const issuer = await deps.issuer.configuration();
        const currentUrl = new URL(ctx.search, callbackUrl(deps));
        const tokens = await withProviderErrors(() =>
          oidc.authorizationCodeGrant(issuer, currentUrl, {
            expectedState: state,
            expectedNonce: pending.nonce,
            pkceCodeVerifier: pending.codeVerifier,
            idTokenExpected: true,
          }),
        );
        const data = await fetchLoginData(deps, issuer, tokens);
        const user = userFromProfile(method, data);
        ctx.state.user = user;
        const providerRefs = providerRefsOf(config, { sub: data.subject, sid: tokens.claims()?.['sid'] });
        await deps.logins.start(ctx, { method, data, user, providerRefs });
        ctx.redirect(pending.returnTo);
        ctx.status = 303;
      }),
    );
}

/** The browser shows the response, so an error redirects to the sign-in page, which explains it. */
async function redirectOnError(
  { config, log, publicUrl }: Pick<AuthorizationDeps, 'config' | 'log' | 'publicUrl'>,
  ctx: Context,
  handle: () => Promise<void>,
): Promise<void> {
  ctx.state.route = 'login';
  try {
    await handle();
  } catch (thrown) {
    const { code, detail } = asPortholeError(thrown);
    log.warn({ method: oidcMethodName(config), code, detail }, 'a sign-in failed');
    ctx.redirect(`${basePathOf(publicUrl)}/?${new URLSearchParams({ why: code }).toString()}`);
    ctx.status = 303;
  }
}

function callbackUrl({ config, publicUrl }: Pick<AuthorizationDeps, 'config' | 'publicUrl'>): URL {
  return urlBelow(publicUrl, `/api/v1/login/oidc/${config.name}/callback`);
}

/**
 * Returns a path of a console page, or that of the list for anything else, so that a sign-in link can't redirect to
 * another site.
 */
function safeReturnPath(wanted: unknown, publicUrl: URL): string {
  const basePath = basePathOf(publicUrl);
  const list = `${basePath}/`;
  if (typeof wanted !== 'string' || !wanted.startsWith(`${basePath}/console/`)) return list;
  let url: URL;
  try {
    url = new URL(wanted, publicUrl);
  } catch {
    return list;
  }
  const path = withoutBasePath(basePath, url.pathname);
  const isConsole = url.origin === publicUrl.origin && /^\/console\/[^/]+\/[^/]+\/?$/.test(path);
  return isConsole ? url.pathname + url.search : list;
}
