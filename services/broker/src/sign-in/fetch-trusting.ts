import { Agent, fetch as fetchWith } from 'undici';
import type { Secret } from '@porthole/shared/config/secret';

/** `fetch` that trusts this CA alone. Read once: who replaces the CA of an issuer restarts the broker. */
export function fetchTrusting(caFile: Secret): typeof fetch {
  const dispatcher = new Agent({ connect: { ca: caFile() } });
  // Two declarations of the same standard interface: undici's own and Node's.
  return (async (url: string, options: object) =>
    fetchWith(url, { ...options, dispatcher })) as unknown as typeof fetch;
}
