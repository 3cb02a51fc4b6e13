import type { ErrorCode } from '@porthole/shared/errors';

/** Why a request to the broker brought nothing. `network`: no answer; `nonsense`: not the answer agreed on. */
export interface Problem {
  readonly code: ErrorCode | 'network' | 'nonsense';
  /** The broker's own sentence, safe to show. */
  readonly title?: string;
  /** Seconds, from Retry-After. */
  readonly retryAfter?: number;
  readonly requestId?: string;
}

export type Answer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export interface User {
  readonly id: string;
  readonly name: string;
  /** How the person is called, where that is not the name they sign in with. */
  readonly displayName?: string;
  readonly groups: readonly string[];
}

export interface Machine {
  readonly cluster: string;
  readonly node: string;
  readonly type: MachineType;
  readonly vmid: number;
  readonly name: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool?: string;
  readonly allow: readonly Right[];
  /** What this person may open of it. */
  readonly kinds: readonly ('screen' | 'terminal')[];
}

/** `node`: a node of Proxmox itself, of which there is a shell. */
export type MachineType = 'qemu' | 'lxc' | 'node';

/** What somebody may do with a machine. */
export type Right = 'view' | 'control' | 'terminal' | 'watch' | 'power' | 'end' | 'explain' | 'audit';

export type PowerAction = 'start' | 'shutdown' | 'reboot' | 'reset' | 'stop';

export type PowerTask =
  | { readonly state: 'running' }
  | { readonly state: 'done' }
  | {
      readonly state: 'failed';
      readonly code: ErrorCode;
      readonly title: string;
      readonly requestId?: string;
    };

/** A console that is open somewhere. */
export interface Session {
  readonly id: string;
  readonly user: { readonly id: string; readonly name: string; readonly displayName?: string };
  readonly machine: Pick<Machine, 'cluster' | 'vmid' | 'name' | 'type' | 'node'>;
  readonly mode: 'view' | 'control';
  readonly kind: 'screen' | 'terminal';
  /** Somebody looks on at what others do. */
  readonly observer?: boolean;
  readonly relay: string;
  readonly since: string;
  readonly bytes: { readonly toViewer: number; readonly toMachine: number };
  /** Who looks on. */
  readonly observers: readonly string[];
  readonly mine: boolean;
  readonly may: readonly ('end' | 'watch' | 'control' | 'sign_out')[];
}

export interface SessionList {
  /** Those that this person teaches. */
  readonly classes: readonly { readonly name: string; readonly title: string }[];
  readonly sessions: readonly Session[];
  readonly truncated?: boolean;
}

export interface MachineList {
  readonly consoles: readonly Machine[];
  readonly stale?: boolean;
  /** How old the oldest part of a stale list is. */
  readonly staleSeconds?: number;
  /** A cluster does not answer, and its machines are not in the list. */
  readonly incomplete?: boolean;
}

export interface Grant {
  /** The session's id, which people quote to support. */
  readonly id: string;
  readonly url: string;
  readonly protocols: readonly string[];
  readonly machine: { readonly name: string; readonly type: MachineType; readonly node: string };
  readonly allow?: readonly Right[];
}

const deadline = 15_000;

/** Every request of the pages to the broker. It never rejects: whatever goes wrong becomes a Problem. */
async function request<T>(method: string, path: string, body?: unknown, pass?: string): Promise<Answer<T>> {
  return read<T>(await send(method, path, body, pass === undefined ? {} : { 'x-porthole-pass': pass }));
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response | undefined> {
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(deadline),
    });
  } catch {
    return undefined;
  }
}

async function read<T>(response: Response | undefined): Promise<Answer<T>> {
  if (!response) return { ok: false, problem: { code: 'network' } };
  if (!response.ok) return { ok: false, problem: await problemOf(response) };
  if (response.status === 204) return { ok: true, value: undefined as T };
  try {
    // The broker's answers are held against its OpenAPI file by its own tests; the pages trust their own origin.
    return { ok: true, value: (await response.json()) as T };
  } catch {
    return { ok: false, problem: { code: 'nonsense' } };
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? { retryAfter: seconds } : {};
  try {
    const body = (await response.json()) as { code?: ErrorCode; title?: string; requestId?: string };
    if (typeof body.code === 'string') {
      return {
        code: body.code,
        ...(body.title ? { title: body.title } : {}),
        ...(body.requestId ? { requestId: body.requestId } : {}),
        ...retryAfter,
      };
    }
  } catch {
    // Not ours: an ingress or a load balancer answered in the broker's place.
  }
  const code =
    response.status === 401 ? 'not_signed_in' : response.status === 429 ? 'rate_limited' : 'nonsense';
  return { code, ...retryAfter };
}

/** A way to sign in here. */
export type SignInMethod =
  | { readonly kind: 'local' }
  | { readonly kind: 'oidc'; readonly title: string; readonly url: string }
  | ProxmoxSignIn;

export interface ProxmoxSignIn {
  readonly kind: 'proxmox';
  readonly url: string;
  readonly realms: readonly { readonly name: string; readonly title: string }[];
}

export type Factor = 'totp' | 'recovery' | 'yubico';

/** The password was right, and a code is needed, too. */
export interface SecondFactor {
  readonly id: string;
  readonly factors: readonly Factor[];
}

export type SignInStep = { readonly user: User } | { readonly secondFactor: SecondFactor };

/** What was asked for, unless it is as it was: then only its mark comes back. */
export interface Polled<T> {
  readonly etag: string | undefined;
  readonly value?: T;
}

async function poll<T>(path: string, etag: string | undefined): Promise<Answer<Polled<T>>> {
  const response = await send('GET', path, undefined, etag === undefined ? {} : { 'if-none-match': etag });
  if (response?.status === 304) return { ok: true, value: { etag } };
  const answer = await read<T>(response);
  return answer.ok
    ? { ok: true, value: { etag: response?.headers.get('etag') ?? undefined, value: answer.value } }
    : answer;
}

/** Addresses in answers are whole ones. */
const below = (url: string) => url.replace(/^\/api\/v1/, '');

export const api = {
  signInMethods: () => request<{ methods: readonly SignInMethod[] }>('GET', '/login'),
  signIn: (username: string, password: string) =>
    request<{ user: User }>('POST', '/login', { username, password }),
  signInAtProxmox: (url: string, realm: string, username: string, password: string) =>
    request<SignInStep>('POST', below(url), { realm, username, password }),
  secondFactor: (url: string, id: string, factor: Factor, code: string) =>
    request<{ user: User }>('POST', `${below(url)}/code`, { id, factor, code }),
  signOut: () => request<{ url: string } | undefined>('POST', '/logout'),
  redeemEmbedCode: (code: string) => request<{ pass: string }>('POST', '/handover', { code }),
  me: () => request<{ user: User; oversees?: boolean }>('GET', '/me'),
  sessions: (className: string | undefined, etag: string | undefined) =>
    poll<SessionList>(
      `/sessions?${className === undefined ? 'scope=all' : `scope=class&class=${encodeURIComponent(className)}`}`,
      etag,
    ),
  signOutUser: (id: string) =>
    request<{ signIns: number; consoles: number }>('DELETE', `/logins?user=${encodeURIComponent(id)}`),
  endSession: (id: string) => request<undefined>('DELETE', `/sessions/${encodeURIComponent(id)}`),
  endClass: (name: string) =>
    request<{ ended: number }>('DELETE', `/sessions?class=${encodeURIComponent(name)}`),
  power: (cluster: string, vmid: number, action: PowerAction) =>
    request<{ task: string }>('POST', `/consoles/${encodeURIComponent(cluster)}/${vmid}/power`, { action }),
  powerTask: (cluster: string, vmid: number, task: string) =>
    request<PowerTask>(
      'GET',
      `/consoles/${encodeURIComponent(cluster)}/${vmid}/power/${encodeURIComponent(task)}`,
    ),
  machines: (pass?: string) => request<MachineList>('GET', '/consoles', undefined, pass),
  grant: (
    cluster: string,
    vmid: number,
    wish: { readonly mode: 'control' | 'view'; readonly kind: 'screen' | 'terminal' },
    pass?: string,
  ) => request<Grant>('POST', `/consoles/${encodeURIComponent(cluster)}/${vmid}/grants`, wish, pass),
};
