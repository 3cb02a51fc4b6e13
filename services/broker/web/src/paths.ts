import type { Machine } from './api.ts';
import { basePath } from './base-path.ts';

/** What the address of a console page says. */
export interface ConsoleAddress {
  readonly cluster: string;
  readonly vmid: number;
  readonly mode: 'control' | 'view';
  readonly kind: 'screen' | 'terminal';
}

export const sessionsPath = `${basePath}sessions`;
export const classesPath = `${basePath}classes`;
export const recordingsPath = `${basePath}recordings`;

export const recordingPath = (id: string): string => `${recordingsPath}/${id}`;

/** The id of the recording that the address of a player names. */
export function parseRecordingPath(pathname: string): string | undefined {
  if (!pathname.startsWith(`${recordingsPath}/`)) return undefined;
  return /^(\d{8}-\d{6}-[0-9a-f]{32})$/.exec(pathname.slice(recordingsPath.length + 1))?.[1];
}

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
  return `${basePath}console/${encodeURIComponent(cluster)}/${vmid}${query && `?${query}`}`;
}

/** What a click on a machine opens: its screen, view-only without the `control` right, or else its terminal. */
export function defaultConsolePath({
  cluster,
  vmid,
  allow,
  kinds,
}: Pick<Machine, 'cluster' | 'vmid' | 'allow' | 'kinds'>): string {
  if (allow.includes('control')) return consolePath(cluster, vmid);
  return kinds.includes('screen')
    ? consolePath(cluster, vmid, 'view')
    : consolePath(cluster, vmid, 'control', 'terminal');
}

export function parseConsolePath(pathname: string, search: string): ConsoleAddress | undefined {
  if (!pathname.startsWith(basePath)) return undefined;
  const match = /^console\/([^/]+)\/(\d{1,9})\/?$/.exec(pathname.slice(basePath.length));
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

/** Why the user sees the sign-in page, as in its address. The texts are in texts/sign-in.ts. */
export const signInReasons = [
  'needed',
  'expired',
  'signed-out',
  // From here on: why the sign-in at an identity provider failed.
  'sign_in_refused',
  'sign_in_expired',
  'sign_in_provider_unavailable',
  'rate_limited',
] as const;
export type SignInReason = (typeof signInReasons)[number];

export function signInPath(returnTo: string, reason: SignInReason): string {
  return `${basePath}?${new URLSearchParams({ why: reason, return: returnTo }).toString()}`;
}

/**
 * Where to go after signing in. Allows only console pages and recordings of this origin: otherwise a phishing link could use the
 * sign-in page to send users to another site.
 */
export function safeReturnPath(wanted: string | null, origin: string): string | undefined {
  if (!wanted?.startsWith(`${basePath}console/`) && !wanted?.startsWith(`${recordingsPath}/`))
    return undefined;
  let url: URL;
  try {
    url = new URL(wanted, origin);
  } catch {
    return undefined;
  }
  if (url.origin !== origin) return undefined;
  if (parseRecordingPath(url.pathname) !== undefined) return url.pathname;
  if (!parseConsolePath(url.pathname, url.search)) return undefined;
  return url.pathname + url.search;
}
