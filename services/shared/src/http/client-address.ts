import type { IncomingMessage } from 'node:http';

/**
 * Returns the client's address, for rate limits and logs. Each trusted proxy appends the address of its peer to
 * X-Forwarded-For, so the client's address is `trustedProxies` entries from the right. Entries further left can be
 * forged by the client.
 */
export function clientAddress(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  trustedProxies: number,
): string {
  const own = request.socket.remoteAddress ?? 'unknown';
  if (trustedProxies === 0) return own;
  const header = request.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((entry) => entry.trim());
  return withoutPort(entries.at(-trustedProxies) ?? '') || own;
}

/** Some proxies (on Azure, and optionally on AWS) add the port, which differs for each connection. */
function withoutPort(entry: string): string {
  const [, v6, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([^:]*):\d+)$/.exec(entry) ?? [];
  return v6 ?? v4 ?? entry;
}
