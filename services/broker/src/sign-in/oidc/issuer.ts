import * as oidc from 'openid-client';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { fetchWithCa } from '../issuer-http.ts';

/** What is known of an issuer by its discovery document, fetched when first needed and kept. */
export interface Issuer {
  /** Rejects with `sign_in_provider_unavailable`; the next call tries again. */
  configuration(): Promise<oidc.Configuration>;
}

/** Seconds. People wait for it. */
const timeout = 10;

export function createIssuer(config: OidcConfig): Issuer {
  let known: { readonly by: string; readonly configuration: Promise<oidc.Configuration> } | undefined;

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
            // The ID token comes straight from the issuer by TLS; its signature is checked all the same.
            oidc.enableNonRepudiationChecks,
            ...(config.issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
          ],
          ...(config.caFile ? { [oidc.customFetch]: fetchWithCa(config.caFile) as oidc.CustomFetch } : {}),
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
      // With another secret than before it is another client.
      const by = `${config.clientSecret?.() ?? ''} ${config.caFile?.() ?? ''}`;
      if (known?.by !== by) {
        const configuration = discover(config.clientSecret?.());
        known = { by, configuration };
        configuration.catch(() => {
          if (known?.configuration === configuration) known = undefined;
        });
      }
      return known.configuration;
    },
  };
}

/** As the issuer prefers: by the header, unless it takes secrets in the body only. */
function clientAuthentication(secret: string): oidc.ClientAuth {
  const [byHeader, byBody] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, client, body, headers) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const chosen =
      !taken.includes('client_secret_basic') && taken.includes('client_secret_post') ? byBody : byHeader;
    return chosen(server, client, body, headers);
  };
}

/** The code of an error of the library or the issuer: its texts may quote tokens. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, error: issuerCode } = error as { code?: unknown; error?: unknown };
  const inner =
    error.cause instanceof Error ? ((error.cause as { code?: unknown }).code ?? error.cause.name) : '';
  return [code ?? error.name, issuerCode, inner]
    .filter((part) => typeof part === 'string' && part !== '')
    .map((part) => String(part).slice(0, 100))
    .join(' ');
}
