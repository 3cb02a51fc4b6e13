import { demoPassword } from './demo.ts';

/** Signs a user of the demo in. Answers the cookie. `base` is where Porthole is, without a trailing slash. */
export async function signIn(base: string, username: string): Promise<string> {
  const answer = await post(base, '/login', { username, password: demoPassword });
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
  if (!answer.ok || cookie === '') throw new Error(`${username} cannot sign in: ${answer.status}`);
  return cookie;
}

/** Undefined if Porthole refuses. */
export async function requestGrant(
  base: string,
  cookie: string,
  vmid: number,
  request: object,
): Promise<{ readonly url: string; readonly protocols: readonly string[] } | undefined> {
  const answer = await post(base, `/consoles/demo/${vmid}/grants`, request, { cookie });
  if (!answer.ok) return undefined;
  const { url, protocols } = (await answer.json()) as { url: string; protocols: readonly string[] };
  return { url, protocols };
}

function post(
  base: string,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${base}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...headers },
    body: JSON.stringify(body),
  });
}
