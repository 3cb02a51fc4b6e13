import { createHash, randomBytes } from 'node:crypto';

export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** The request that opens a WebSocket, and which answers accept it (RFC 6455 section 4.1). */
export function createUpgradeRequest(
  path: string,
  headers: Readonly<Record<string, string>>,
): { readonly text: string; accepts(answer: HttpAnswer): boolean } {
  const key = randomBytes(16).toString('base64');
  const all = {
    ...headers,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  };
  const lines = Object.entries(all).map(([name, value]) => {
    // A credential with a line break in it would write headers of its own.
    if (/[\r\n]/.test(value)) throw new TypeError(`The header ${name} has a line break.`);
    return `${name}: ${value}\r\n`;
  });
  return {
    text: `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`,
    accepts: ({ status, headers: given }) =>
      status === 101 &&
      given.get('upgrade')?.toLowerCase() === 'websocket' &&
      given.get('connection')?.toLowerCase() === 'upgrade' &&
      given.get('sec-websocket-accept') === acceptKey(key) &&
      // An extension that we did not offer would change what frames mean.
      !given.has('sec-websocket-extensions'),
  };
}

/** The head of an HTTP answer, without its closing empty line; undefined when it is none. */
export function readHttpHead(head: string): HttpAnswer | undefined {
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

/** The value that proves that the server has read the request (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
