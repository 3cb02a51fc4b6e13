import { createRemoteJWKSet, customFetch } from 'jose';
import type { Secret } from '@porthole/shared/config/secret';
import { fetchTrusting } from './fetch-trusting.ts';

export type KeySet = ReturnType<typeof createRemoteJWKSet>;

/** The public keys of an issuer: kept for ten minutes, fetched again for a key that is not among them. */
export function createKeySet(url: URL, caFile: Secret | undefined): KeySet {
  return createRemoteJWKSet(url, {
    timeoutDuration: 5000,
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    ...(caFile ? { [customFetch]: fetchTrusting(caFile) } : {}),
  });
}
