import { z } from 'zod';
import type { LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import { urlBelow } from '@porthole/shared/http/base-path';
import { addressKey } from '@porthole/shared/http/address-key';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { createToken } from '@porthole/shared/crypto/token';
import type { RateLimits } from '@porthole/shared/store/ports';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context } from '../http/context.ts';
import type { LaunchCookie } from './launch-cookie.ts';
import type { PageStep } from './page-step.ts';
import { storageKeyOf, type PendingLaunches } from './pending-launches.ts';
import { findPlatform } from './platforms.ts';

/** OpenID Connect third-party-initiated login, with the parameters of LTI 1.3. Others are ignored. */
const loginRequest = z.object({
  iss: z.string().min(1).max(2000),
  login_hint: z.string().min(1).max(4096),
  target_link_uri: z.string().max(4096).optional(),
  lti_message_hint: z.string().max(16_384).optional(),
  client_id: z.string().min(1).max(256).optional(),
  /** The name of a frame. The page looks it up as a property, so it must be a plain name. */
  lti_storage_target: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/)
    .optional(),
});

export interface LoginDeps {
  readonly platforms: readonly LtiPlatformConfig[];
  readonly pending: Pick<PendingLaunches, 'begin'>;
  readonly cookie: LaunchCookie;
  readonly publicUrl: URL;
  readonly random: RandomBytes;
  readonly rateLimits: RateLimits;
  readonly limits: { readonly signInsPerAddressPerMinute: number };
}

/**
 * GET or POST /lti/login: the platform asks to begin a launch. Redirects to the platform, or responds with a page that
 * first leaves a secret with the platform: browsers that block third-party cookies give a page in a frame no other way
 * to recognise them.
 */
export function beginLaunch(deps: LoginDeps): (ctx: Context) => Promise<PageStep | undefined> {
  return async (ctx) => {
    await deps.rateLimits.spend(
      `lti-login/${addressKey(ctx.ip)}`,
      deps.limits.signInsPerAddressPerMinute,
      60,
    );
    const parsed = loginRequest.safeParse(ctx.method === 'POST' ? ctx.request.body : { ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const request = parsed.data;
    const platform = findPlatform(deps.platforms, request.iss, request.client_id);
    const storageTarget = request.lti_storage_target;
    const secret =
      (storageTarget === undefined ? deps.cookie.read(ctx.get('cookie')) : undefined) ??
      createToken(deps.random);
    const nonce = createToken(deps.random);
    const state = await deps.pending.begin({ platform: platform.name, nonce, storageTarget }, secret);
    const next = authorizationUrl(platform, deps.publicUrl, { request, state, nonce });
    if (storageTarget !== undefined)
      return {
        step: 'store',
        secret,
        next,
        target: storageTarget,
        origin: platform.authorizationUrl.origin,
        key: storageKeyOf(state),
      };
    ctx.append('set-cookie', deps.cookie.set(secret));
    ctx.redirect(next);
    ctx.status = 303;
    return undefined;
  };
}

function authorizationUrl(
  platform: LtiPlatformConfig,
  publicUrl: URL,
  given: {
    readonly request: z.infer<typeof loginRequest>;
    readonly state: string;
    readonly nonce: string;
  },
): string {
  const { request, state, nonce } = given;
  const url = new URL(platform.authorizationUrl);
  const parameters = {
    scope: 'openid',
    response_type: 'id_token',
    response_mode: 'form_post',
    prompt: 'none',
    client_id: platform.clientId,
    redirect_uri: urlBelow(publicUrl, '/lti/launch').href,
    login_hint: request.login_hint,
    lti_message_hint: request.lti_message_hint,
    state,
    nonce,
  };
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
