import { createRemoteJWKSet, customFetch } from 'jose';
import { Agent, fetch as undiciFetch } from 'undici';
import type { Secret } from '@porthole/shared/config/secret';

/** Returns a `fetch` that trusts only this CA, and follows changes of the file. */
export function fetchWithCa(caFile: Secret): typeof fetch {
  let current: { readonly ca: string; readonly agent: Agent } | undefined;
  function currentAgent(): Agent {
    const ca = caFile();
    if (current?.ca !== ca) {
      // Requests that use the previous CA end before its connections close.
      void current?.agent.close().catch(() => {});
      current = { ca, agent: new Agent({ connect: { ca } }) };
    }
    return current.agent;
  }
  // undici and Node declare the same standard interface twice.
  return (async (url: string, options: object) =>
    undiciFetch(url, { ...options, dispatcher: currentAgent() })) as unknown as typeof fetch;
}

export type IssuerKeys = ReturnType<typeof createRemoteJWKSet>;

/**
 * The public keys of an issuer: cached for ten minutes, and fetched again for an unknown key ID, at most every 30
 * seconds. Take `url` from the configuration or the issuer's own discovery document, never from a token. Throws if an
 * https:// issuer names keys at an http:// URL, where anyone on the network could replace them.
 */
export function createIssuerKeys(
  url: URL,
  { issuer, caFile }: { readonly issuer: URL; readonly caFile?: Secret | undefined },
): IssuerKeys {
  if (issuer.protocol === 'https:' && url.protocol !== 'https:')
    throw new Error(`the keys of ${issuer.href} must have an https:// URL`);
  return createRemoteJWKSet(url, {
    timeoutDuration: 5000,
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    ...(caFile ? { [customFetch]: fetchWithCa(caFile) } : {}),
  });
}
