/** Addresses of our own pages. */

export interface ConsoleAddress {
  readonly cluster: string;
  readonly vmid: number;
  readonly mode: 'control' | 'view';
  readonly kind: 'screen' | 'terminal';
}

export const sessionsPath = '/sessions';

export function consolePath(
  cluster: string,
  vmid: number,
  mode: ConsoleAddress['mode'] = 'control',
  kind: ConsoleAddress['kind'] = 'screen',
): string {
  const query = new URLSearchParams({
    ...(kind === 'terminal' ? { kind } : {}),
    ...(mode === 'view' ? { mode } : {}),
  }).toString();
  return `/console/${encodeURIComponent(cluster)}/${vmid}${query && `?${query}`}`;
}

export function parseConsolePath(pathname: string, search: string): ConsoleAddress | undefined {
  const match = /^\/console\/([^/]+)\/(\d{1,9})\/?$/.exec(pathname);
  if (!match?.[1]) return undefined;
  let cluster: string;
  try {
    cluster = decodeURIComponent(match[1]);
  } catch {
    return undefined;
  }
  const query = new URLSearchParams(search);
  const mode = query.get('mode') === 'view' ? 'view' : 'control';
  const kind = query.get('kind') === 'terminal' ? 'terminal' : 'screen';
  return { cluster, vmid: Number(match[2]), mode, kind };
}

/** Why somebody sees the sign-in page; its texts are in texts.ts. */
export const signInReasons = [
  'needed',
  'expired',
  'signed-out',
  // Back from an issuer that brought nobody.
  'sign_in_refused',
  'sign_in_expired',
  'sign_in_provider_unavailable',
  'rate_limited',
] as const;
export type SignInReason = (typeof signInReasons)[number];

export function signInPath(returnTo: string, why: SignInReason): string {
  return `/?${new URLSearchParams({ why, return: returnTo }).toString()}`;
}

/**
 * Where to go after signing in. Only console pages of this very origin count: a link that signs somebody in
 * and then sends them elsewhere is what phishing is made of.
 */
export function safeReturnPath(wanted: string | null, origin: string): string | undefined {
  if (!wanted?.startsWith('/console/')) return undefined;
  let url: URL;
  try {
    url = new URL(wanted, origin);
  } catch {
    return undefined;
  }
  if (url.origin !== origin || !parseConsolePath(url.pathname, url.search)) return undefined;
  return url.pathname + url.search;
}
