import * as oidc from 'openid-client';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import type { Clock } from '@porthole/shared/time/clock';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { Context, Step } from '../../http/context.ts';
import { safeReturnPath } from '../return-path.ts';
import { limitByAddress, reportSignIn, type SignInDeps } from '../sign-in.ts';
import type { BrowserCookie } from './browser-cookie.ts';
import type { BegunSignIns } from './begun.ts';
import { describe, type Issuer } from './issuer.ts';
import { handlesOf } from './handles.ts';
import { personOf, userOfPerson, type OidcFacts } from './person.ts';

export interface OidcStepDeps extends Pick<
  SignInDeps,
  'logins' | 'rateLimits' | 'limits' | 'metrics' | 'audit' | 'log'
> {
  readonly config: OidcConfig;
  readonly issuer: Issuer;
  readonly begun: BegunSignIns;
  readonly browserCookie: BrowserCookie;
  readonly publicUrl: URL;
  readonly random: RandomBytes;
  readonly clock: Clock;
}

export const methodOf = (config: Pick<OidcConfig, 'name'>): string => `oidc:${config.name}`;

/** GET /api/v1/login/oidc/{name}: to the issuer, with PKCE (RFC 7636), state and nonce. */
export function beginOidc(deps: OidcStepDeps): Step {
  return (ctx) =>
    withPage(deps, ctx, async () => {
      await limitByAddress(deps, ctx.ip);
      const issuer = await deps.issuer.configuration();
      const browser = deps.browserCookie.read(ctx.get('cookie')) ?? deps.random(32).toString('base64url');
      const [codeVerifier, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomNonce()];
      const returnTo = safeReturnPath(ctx.query['return'], deps.publicUrl);
      const state = await deps.begun.begin(
        { method: methodOf(deps.config), nonce, codeVerifier, returnTo },
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
      ctx.append('set-cookie', deps.browserCookie.set(browser));
      ctx.redirect(target.href);
      ctx.status = 303;
    });
}

/** GET /api/v1/login/oidc/{name}/callback: back from the issuer. */
export function finishOidc(deps: OidcStepDeps): Step {
  const { config } = deps;
  return (ctx) =>
    withPage(deps, ctx, async () => {
      await limitByAddress(deps, ctx.ip);
      const { state } = ctx.query;
      const begun = await deps.begun.take(
        typeof state === 'string' ? state : '',
        deps.browserCookie.read(ctx.get('cookie')),
      );
      if (begun.method !== methodOf(config))
        throw new PortholeError('sign_in_expired', { detail: 'begun at another issuer' });
      const issuer = await deps.issuer.configuration();
      const back = new URL(`${callbackUrl(deps).pathname}${ctx.search}`, deps.publicUrl);
      const tokens = await asked(() =>
        oidc.authorizationCodeGrant(issuer, back, {
          expectedState: typeof state === 'string' ? state : '',
          expectedNonce: begun.nonce,
          pkceCodeVerifier: begun.codeVerifier,
          idTokenExpected: true,
        }),
      );
      const facts = await factsOf(deps, issuer, tokens);
      const user = userOfPerson(methodOf(config), facts);
      ctx.state.user = user;
      await deps.logins.enter(ctx, {
        method: methodOf(config),
        facts,
        user,
        handles: handlesOf(config, { sub: facts.subject, sid: tokens.claims()?.['sid'] }),
      });
      ctx.redirect(begun.returnTo);
      ctx.status = 303;
    });
}

/** Who it is, by the ID token, and by userinfo where that holds no groups. */
export async function factsOf(
  deps: Pick<OidcStepDeps, 'config' | 'clock'>,
  issuer: oidc.Configuration,
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  before?: OidcFacts,
): Promise<OidcFacts> {
  const inToken: Record<string, unknown> = { ...tokens.claims() };
  const subject = before?.subject ?? String(inToken['sub']);
  const complete = personOf(deps.config, inToken);
  const needsMore = complete === undefined || complete.groups.length === 0;
  const more =
    needsMore && issuer.serverMetadata().userinfo_endpoint !== undefined
      ? await asked(() => oidc.fetchUserInfo(issuer, tokens.access_token, subject))
      : {};
  const person = personOf(deps.config, { ...inToken, ...more });
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
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refused =
      error instanceof oidc.AuthorizationResponseError ||
      (error instanceof oidc.ResponseBodyError && error.status < 500);
    throw new PortholeError(refused ? 'sign_in_refused' : 'sign_in_provider_unavailable', {
      detail: describe(error),
    });
  }
}

/** The browser shows what comes, so a failure leads to the sign-in page, which says what happened. */
async function withPage(deps: OidcStepDeps, ctx: Context, work: () => Promise<void>): Promise<void> {
  ctx.state.route = 'login';
  try {
    if (ctx.path.endsWith('/callback')) await reportSignIn(deps, ctx, methodOf(deps.config), work);
    else await work();
  } catch (thrown) {
    const error = asPortholeError(thrown);
    deps.log.warn({ method: methodOf(deps.config), code: error.code, detail: error.detail }, 'no sign-in');
    ctx.redirect(`/?${new URLSearchParams({ why: error.code }).toString()}`);
    ctx.status = 303;
  }
}

function callbackUrl({ config, publicUrl }: Pick<OidcStepDeps, 'config' | 'publicUrl'>): URL {
  return new URL(`/api/v1/login/oidc/${config.name}/callback`, publicUrl);
}
