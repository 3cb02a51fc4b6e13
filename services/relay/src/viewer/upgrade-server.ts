import { createHash } from 'node:crypto';

/** RFC 6455 section 4.2.2: proves that the other side has read the request, and nothing else. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** What a browser's request for a WebSocket has to say (section 4.2.1). */
export interface UpgradeRequest {
  readonly method?: string | undefined;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Its key, or the HTTP status that says what is wrong with it. */
export function keyOf({ method, httpVersion, headers }: UpgradeRequest): string | 400 | 405 | 426 {
  if (method !== 'GET') return 405;
  const key = headers['sec-websocket-key'];
  if (httpVersion !== '1.1' || String(headers['upgrade']).toLowerCase() !== 'websocket') return 400;
  if (headers['sec-websocket-version'] !== '13') return 426;
  return typeof key === 'string' && /^[A-Za-z0-9+/]{22}==$/.test(key) ? key : 400;
}

/** The subprotocols that were offered; none when the header is malformed or names one twice (section 4.1). */
export function offeredProtocols(headers: UpgradeRequest['headers']): readonly string[] {
  const names = String(headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim());
  const wellFormed = names.every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name));
  return wellFormed && new Set(names).size === names.length ? names : [];
}

export function acceptingAnswer(key: string, protocol: string): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
    '\r\n',
  ].join('\r\n');
}
