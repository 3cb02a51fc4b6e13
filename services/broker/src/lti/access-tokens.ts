import { z } from 'zod';
import type { LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import type { Clock } from '@porthole/shared/time/clock';
import type { BoundedFetch } from './bounded-fetch.ts';
import type { ToolKeys } from './tool-keys.ts';

const scope = 'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly';
const tokenAnswer = z.object({
  access_token: z.string().min(1).max(16_384),
  expires_in: z.coerce.number().min(0).max(86_400).default(3600),
});
/** Seconds before its end in which a token is not used any more. */
const margin = 60;

/**
 * Gets access tokens for the roster of a platform: client credentials with a signed assertion (1EdTech Security Framework
 * 1.0, section 4.1). A token is used until it expires. Rejects with `sign_in_provider_unavailable`.
 */
export function createAccessTokens(
  platform: Pick<LtiPlatformConfig, 'clientId' | 'tokenUrl'>,
  deps: {
    readonly fetch: BoundedFetch;
    readonly toolKeys: Pick<ToolKeys, 'sign'>;
    readonly clock: Pick<Clock, 'now'>;
    readonly random: RandomBytes;
  },
): () => Promise<string> {
  let known: { readonly token: string; readonly until: number } | undefined;
  return async () => {
    const now = deps.clock.now();
    if (known && now < known.until) return known.token;
    const { clientId, tokenUrl } = platform;
    if (!tokenUrl) throw new PortholeError('sign_in_provider_unavailable', { detail: 'no tokenUrl' });
    const seconds = Math.floor(now / 1000);
    const assertion = await deps.toolKeys.sign({
      iss: clientId,
      sub: clientId,
      aud: tokenUrl.href,
      iat: seconds,
      exp: seconds + 300,
      jti: deps.random(16).toString('base64url'),
    });
    const response = await deps.fetch(tokenUrl.href, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
        scope,
      }),
    });
    const parsed = tokenAnswer.safeParse(parseJson(await response.text()));
    if (!response.ok || !parsed.success)
      throw new PortholeError('sign_in_provider_unavailable', {
        detail: `no access token: status ${response.status}`,
      });
    const { access_token: token, expires_in: lifetime } = parsed.data;
    known = { token, until: now + (lifetime - margin) * 1000 };
    return token;
  };
}
