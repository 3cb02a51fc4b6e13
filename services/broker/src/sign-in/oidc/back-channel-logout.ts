import { bodyParser } from '@koa/bodyparser';
import { jwtVerify, type JWTPayload } from 'jose';
import type { Configuration } from 'openid-client';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore, RateLimits } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import { BadRequest } from '../../http/bad-request.ts';
import type { Step } from '../../http/context.ts';
import { createIssuerKeys, type IssuerKeys } from '../issuer-http.ts';
import type { Logins } from '../logins/logins.ts';
import { describeError, type Issuer } from './issuer.ts';
import { providerRefsOf } from './login-data.ts';

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds after which a logout token expires, whatever it says. */
const maxAgeSeconds = 300;
const perMinute = 6000;

export interface BackChannelDeps {
  readonly config: OidcConfig;
  readonly issuer: Issuer;
  readonly logins: Pick<Logins, 'byProviderRef' | 'end'>;
  readonly records: Pick<RecordStore, 'put' | 'get'>;
  readonly rateLimits: RateLimits;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** Reads the form that the provider posts. */
export function readLogoutForm(): Step {
  return bodyParser({
    enableTypes: ['form'],
    formLimit: '16kb',
    onError() {
      throw new BadRequest('the body is not a form');
    },
  });
}

/**
 * POST /api/v1/login/oidc/{name}/logout: the provider reports a sign-out (OpenID Connect Back-Channel Logout 1.0,
 * sections 2.5 to 2.8). Ends the user's sign-ins and their consoles. Responds with 200, or 400 if the token is not
 * valid.
 */
export function backChannelLogout(deps: BackChannelDeps): Step {
  const { config, logins, records, log } = deps;
  const verify = createLogoutTokenVerifier(deps);
  return async (ctx) => {
    ctx.state.route = 'back_channel';
    await deps.rateLimits.spend(`back-channel/${config.name}`, perMinute, 60);
    const { logout_token: token } = (ctx.request.body ?? {}) as { readonly logout_token?: unknown };
    let logout: LogoutToken;
    try {
      logout = await verify(typeof token === 'string' ? token : '');
    } catch (error) {
      if (error instanceof PortholeError) throw error;
      log.warn(
        { issuer: config.name, reason: describeError(error), address: ctx.ip },
        'a logout token was rejected',
      );
      throw new BadRequest('logout_token: is not valid');
    }
    // A token that names a session ends only that session (section 2.6, step 6).
    const { sub, sid } = logout.claims;
    const [ref] = providerRefsOf(config, sid === undefined ? { sub } : { sid });
    const ended = ref === undefined ? [] : await logins.byProviderRef(ref);
    for (const info of ended) await logins.end(info, 'provider');
    // Only now, so that the provider can repeat a request that failed.
    await records.put(logout.usedKey, 'used', (maxAgeSeconds + 120) * 1000);
    log.info(
      { event: 'back_channel_logout', issuer: config.name, ended: ended.length },
      'a provider reported a sign-out',
    );
    ctx.status = 200;
    ctx.body = '';
    ctx.set('cache-control', 'no-store');
  };
}

interface LogoutToken {
  readonly claims: JWTPayload;
  /** The record that marks the token as used. */
  readonly usedKey: string;
}

function createLogoutTokenVerifier({
  config,
  issuer,
  records,
}: BackChannelDeps): (token: string) => Promise<LogoutToken> {
  let known: { readonly configuration: Configuration; readonly keys: IssuerKeys } | undefined;

  /** The keys belong to one discovery, because another one can name another URL. */
  function keysOf(configuration: Configuration): IssuerKeys {
    if (known?.configuration === configuration) return known.keys;
    const { jwks_uri: url } = configuration.serverMetadata();
    if (url === undefined) throw new Error('the provider names no keys');
    const keys = createIssuerKeys(new URL(url), config);
    known = { configuration, keys };
    return keys;
  }

  return async (token) => {
    const configuration = await issuer.configuration();
    const { payload: claims } = await jwtVerify(token, keysOf(configuration), {
      issuer: configuration.serverMetadata().issuer,
      audience: config.clientId,
      maxTokenAge: maxAgeSeconds,
      clockTolerance: 60,
      // Asymmetric algorithms only, so that the client secret can't sign logout tokens.
      algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    });
    const events = claims['events'];
    if (typeof events !== 'object' || events === null || !(logoutEvent in events))
      throw new Error('no logout event');
    if ('nonce' in claims) throw new Error('the token is an ID token');
    if (claims.sub === undefined && claims['sid'] === undefined) throw new Error('neither sub nor sid');
    if (claims.jti === undefined) throw new Error('no jti');
    const usedKey = storeKeys.logoutToken(config.name, claims.jti);
    if ((await records.get(usedKey)) !== undefined) throw new Error('the token was used before');
    return { claims, usedKey };
  };
}
