import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { readOpenApi } from './openapi.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  // Tests look where they know something to be.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: string | Buffer;
}

/** Keeps its cookie, and marks requests as same-origin. */
export interface Browser {
  cookie: string | undefined;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  delete(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  signIn(username: string, secret?: string): Promise<Answer>;
}

/** Sends a request exactly as given. `fetch` would change paths and headers. */
export function askAt(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, raw }: Asking = {},
): Promise<Answer> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        headers: {
          ...(sent === undefined
            ? method === 'GET' || method === 'HEAD'
              ? {}
              : { 'content-length': '0' }
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(sent)) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const answer: Answer = {
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text: bytes.toString(),
            get json() {
              return JSON.parse(bytes.toString());
            },
          };
          const fault = faultOf(method, path, answer);
          if (fault === undefined) resolve(answer);
          else reject(new Error(fault));
        });
      },
    );
    request.on('error', reject);
    request.end(sent);
  });
}

const openApi = readOpenApi();

/** Every answer of every test must be as docs/openapi.yaml says. Undefined: it is. */
function faultOf(method: string, path: string, answer: Answer): string | undefined {
  const operation = openApi.operationAt(method, path);
  return operation === undefined ? undefined : openApi.faultOf(operation, answer);
}

export function aBrowser(ask: (path: string, asking?: Asking) => Promise<Answer>, password: string): Browser {
  const send = async (path: string, asking: Asking) => {
    const answer = await ask(path, {
      ...asking,
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(browser.cookie ? { cookie: browser.cookie } : {}),
        ...asking.headers,
      },
    });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';', 1);
      browser.cookie = pair.endsWith('=') ? undefined : pair;
    }
    return answer;
  };
  const browser: Browser = {
    cookie: undefined,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, body, headers = {}) => send(path, { method: 'POST', body, headers }),
    delete: (path, headers = {}) => send(path, { method: 'DELETE', headers }),
    signIn: (username, secret = password) => browser.post('/api/v1/login', { username, password: secret }),
  };
  return browser;
}
