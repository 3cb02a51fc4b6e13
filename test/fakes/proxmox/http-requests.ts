/** HTTP/1.1 requests as pveproxy reads them; `node:http` responds where pveproxy does not. */
export interface HttpRequest {
  readonly method: string;
  /** Still percent-encoded, without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly keepAlive: boolean;
  readonly acceptsGzip: boolean;
}

export type ReadResult =
  | { kind: 'incomplete' }
  /** Headers are too long or too many: pveproxy does not respond, and its idle timer closes the connection. */
  | { kind: 'mute' }
  | { kind: 'refused'; text: string; empty: boolean; method: string; path: string }
  | { kind: 'request'; request: HttpRequest; rest: Buffer };

const maxHeaderBytes = 8192;
const maxHeaderLines = 64;
const maxBodyBytes = 512 * 1024;

export function readRequest(bytes: Buffer): ReadResult {
  const end = bytes.indexOf('\r\n\r\n');
  const requestLineEnd = Math.max(0, bytes.indexOf('\r\n'));
  // The limit of 8 KiB excludes the request line: a URL of 9 KB is accepted.
  if ((end < 0 ? bytes.length : end) - requestLineEnd > maxHeaderBytes) return { kind: 'mute' };
  if (end < 0) return { kind: 'incomplete' };
  const [requestLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  if (lines.length >= maxHeaderLines) return { kind: 'mute' };
  const [, method, target, version] = /^(\S+) (\S+) HTTP\/1\.([01])$/.exec(requestLine) ?? [];
  if (method === undefined || target === undefined) return { kind: 'mute' };

  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? '' : target.slice(question + 1);
  const refused = (text: string, empty = false): ReadResult => ({
    kind: 'refused',
    text,
    empty,
    method,
    path,
  });
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method))
    return refused(`method '${method}' not available`, true);
  if (headers.has('transfer-encoding')) return refused('chunked transfer encoding not supported');
  const length = Number(headers.get('content-length') ?? 0);
  if (!Number.isSafeInteger(length) || length > maxBodyBytes) return refused('for data too large');
  const bodyStart = end + 4;
  if (bytes.length < bodyStart + length) return { kind: 'incomplete' };

  const keepAlive = version === '1' && !/\bclose\b/i.test(headers.get('connection') ?? '');
  const acceptsGzip = (headers.get('accept-encoding') ?? '').includes('gzip');
  const body = bytes.toString('utf8', bodyStart, bodyStart + length);
  return {
    kind: 'request',
    request: { method, path, query, headers, body, keepAlive, acceptsGzip },
    rest: bytes.subarray(bodyStart + length),
  };
}
