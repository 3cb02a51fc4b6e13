import { createHash, randomBytes } from 'node:crypto';

/** The head of an HTTP/1.1 response. */
export interface HttpResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Creates the request that opens a WebSocket, and the check of its response (RFC 6455 section 4.1). */
export function createUpgradeRequest(
  path: string,
  headers: Readonly<Record<string, string>>,
): { readonly text: string; isAcceptedBy(response: HttpResponseHead): boolean } {
  const key = randomBytes(16).toString('base64');
  const all = {
    ...headers,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  };
  const lines = Object.entries(all).map(([name, value]) => {
    // A line break in a credential would add headers.
    if (/[\r\n]/.test(value)) throw new TypeError(`The header ${name} has a line break.`);
    return `${name}: ${value}\r\n`;
  });
  return {
    text: `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`,
    isAcceptedBy: ({ status, headers: received }) =>
      status === 101 &&
      received.get('upgrade')?.toLowerCase() === 'websocket' &&
      received.get('connection')?.toLowerCase() === 'upgrade' &&
      received.get('sec-websocket-accept') === acceptKey(key) &&
      // An extension that was not offered would change the meaning of frames.
      !received.has('sec-websocket-extensions'),
  };
}

/** Parses the head of an HTTP response, without the empty line at its end. Returns undefined if it is malformed. */
export function parseResponseHead(head: string): HttpResponseHead | undefined {
  const [first = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: (.*))?$/.exec(first);
  if (!status) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(status[1]), reason: status[2] ?? '', headers };
}

/** The value that proves that the server has read the key (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
