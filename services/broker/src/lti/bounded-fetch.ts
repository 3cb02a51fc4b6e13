import type { Secret } from '@porthole/shared/config/secret';
import { fetchWithCa } from '../sign-in/issuer-http.ts';

/** Sends requests to one learning platform, whose answers have a limit in time and size. */
export type BoundedFetch = (
  url: string,
  options?: RequestInit,
) => Promise<Response & { readonly bodyUsed: boolean }>;

const timeoutMs = 5000;

/** Rejects if the answer takes longer than five seconds or has more than `maxBytes`. Follows no redirects. */
export function createBoundedFetch(caFile: Secret | undefined, maxBytes: number): BoundedFetch {
  const fetchPlatform = caFile ? fetchWithCa(caFile) : fetch;
  return async (url, options = {}) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await fetchPlatform(url, {
      ...options,
      redirect: 'error',
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      // Leaving the loop cancels the rest of the body.
      if (bytes > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const { status, headers } = response;
    const hasBody = status !== 204 && status !== 304;
    return new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers });
  };
}
