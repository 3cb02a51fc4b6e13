import { bodyParser } from '@koa/bodyparser';
import { jwtVerify } from 'jose';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import { storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore, RateLimits } from '@porthole/shared/store/ports';
import { BadRequest } from '../../http/bad-request.ts';
import type { Step } from '../../http/context.ts';
import { createIssuerKeys, type IssuerKeys } from '../issuer-http.ts';
import type { Logins } from '../logins/logins.ts';
import { providerRefsOf } from './provider-refs.ts';
import { describeError, type Issuer } from './issuer.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds for which a logout token counts after it was made, and is remembered as used. */
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

/** The issuer posts a form; nothing in it is ours or the browser's. */
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
 * POST /api/v1/login/oidc/{name}/logout: the issuer says that somebody signed out there, or was (OpenID Connect
 * Back-Channel Logout 1.0, sections 2.5 to 2.8). Their sign-ins here and the consoles of these end. 200, or 400.
 */
export function backChannelLogout(deps: BackChannelDeps): Step {
  const { config, logins, records, log } = deps;
  let keys: { readonly url: string; readonly set: IssuerKeys } | undefined;

  async function verified(token: string): Promise<Readonly<Record<string, unknown>>> {
    const server = (await deps.issuer.configuration()).serverMetadata();
    const url = server.jwks_uri;
    if (url === undefined) throw new Error('the issuer names no keys');
    if (keys?.url !== url) keys = { url, set: createIssuerKeys(new URL(url), config.caFile) };
    const { payload } = await jwtVerify(token, keys.set, {
      issuer: server.issuer,
      audience: config.clientId,
      maxTokenAge: maxAgeSeconds,
      clockTolerance: 60,
      // Only asymmetric ones: the client's secret signs nothing here.
      algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    });
    const events = payload['events'];
    if (typeof events !== 'object' || events === null || !(event in events))
      throw new Error('no logout event');
    if ('nonce' in payload) throw new Error('an ID token is no logout token');
    if (payload.sub === undefined && payload['sid'] === undefined) throw new Error('neither sub nor sid');
    if (payload.jti === undefined) throw new Error('no jti');
    const used = storeKeys.logoutToken(config.name, payload.jti);
    if ((await records.get(used)) !== undefined) throw new Error('used before');
    await records.put(used, 'used', (maxAgeSeconds + 120) * 1000);
    return payload;
  }

  return async (ctx) => {
    ctx.state.route = 'back_channel';
    await deps.rateLimits.spend(`back-channel/${config.name}`, perMinute, 60);
    const { logout_token: token } = (ctx.request.body ?? {}) as { readonly logout_token?: unknown };
    let named: Readonly<Record<string, unknown>>;
    try {
      named = await verified(typeof token === 'string' ? token : '');
    } catch (error) {
      if (error instanceof PortholeError) throw error;
      log.warn(
        { issuer: config.name, reason: describeError(error), address: ctx.ip },
        'a logout token was refused',
      );
      throw new BadRequest('logout_token: is not valid');
    }
    const handles = providerRefsOf(config, named);
    // With a session named, that one alone is meant (section 2.6, step 6).
    const meant = handles.filter((handle) => named['sid'] === undefined || handle.includes('/sid/'));
    let ended = 0;
    for (const handle of meant) {
      for (const info of await logins.byProviderRef(handle)) {
        await logins.end(info, 'provider');
        ended += 1;
      }
    }
    log.info({ event: 'back_channel_logout', issuer: config.name, ended }, 'an issuer signed somebody out');
    ctx.status = 200;
    ctx.body = '';
    ctx.set('cache-control', 'no-store');
  };
}
