import type { IncomingMessage } from 'node:http';

/**
 * The address of the person, for limits. Each trusted proxy appends the address of its own peer to
 * X-Forwarded-For, so with `trustedProxies` of them the person's is that many entries from the right; whatever
 * stands further left, anybody could have written.
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

/** Some proxies (Azure's, AWS's if told to) add the port, which would make every connection another person. */
function withoutPort(entry: string): string {
  const [, v6, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([^:]*):\d+)$/.exec(entry) ?? [];
  return v6 ?? v4 ?? entry;
}
