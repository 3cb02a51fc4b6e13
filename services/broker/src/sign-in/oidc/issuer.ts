import * as oidc from 'openid-client';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { fetchWithCa } from '../issuer-http.ts';

/** A provider's discovery document and endpoints, fetched with the first use and kept. */
export interface Issuer {
  /** Rejects with `sign_in_provider_unavailable` after ten seconds at most. The next call tries again. */
  configuration(): Promise<oidc.Configuration>;
}

/** Seconds for each request to the provider, because users wait for it. */
const timeout = 10;

export function createIssuer(config: OidcConfig): Issuer {
  const customFetch = config.caFile && (fetchWithCa(config.caFile) as oidc.CustomFetch);
  let known: { secret: string | undefined; configuration: Promise<oidc.Configuration> } | undefined;

  async function discover(secret: string | undefined): Promise<oidc.Configuration> {
    try {
      return await oidc.discovery(
        config.issuer,
        config.clientId,
        undefined,
        secret === undefined ? oidc.None() : clientAuthentication(secret),
        {
          timeout,
          execute: [
            // Checks the signature of ID tokens, although they come from the provider itself by TLS.
            oidc.enableNonRepudiationChecks,
            ...(config.issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
          ],
          ...(customFetch ? { [oidc.customFetch]: customFetch } : {}),
        },
      );
    } catch (error) {
      throw new PortholeError('sign_in_provider_unavailable', {
        detail: `discovery of ${config.issuer.href}: ${describeError(error)}`,
        cause: error,
      });
    }
  }

  return {
    configuration() {
      // The client secret can change without a restart.
      const secret = config.clientSecret?.();
      if (!known || known.secret !== secret) {
        const configuration = discover(secret);
        known = { secret, configuration };
        configuration.catch(() => {
          if (known?.configuration === configuration) known = undefined;
        });
      }
      return known.configuration;
    },
  };
}

/** Sends the client secret in the header, or in the body if the provider supports only that. */
function clientAuthentication(secret: string): oidc.ClientAuth {
  const [inHeader, inBody] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, client, body, headers) => {
    const supported = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const useBody = !supported.includes('client_secret_basic') && supported.includes('client_secret_post');
    return (useBody ? inBody : inHeader)(server, client, body, headers);
  };
}

/** Returns the codes of an error of the library or the provider, without messages, which may quote tokens. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, error: providerCode } = error as { code?: unknown; error?: unknown };
  const cause =
    error.cause instanceof Error ? ((error.cause as { code?: unknown }).code ?? error.cause.name) : '';
  return [code ?? error.name, providerCode, cause]
    .filter((part) => typeof part === 'string' && part !== '')
    .map((part) => String(part).slice(0, 100))
    .join(' ');
}
