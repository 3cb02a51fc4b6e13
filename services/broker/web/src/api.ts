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
  readonly type: 'qemu' | 'lxc';
  readonly vmid: number;
  readonly name: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool?: string;
  readonly allow: readonly ('view' | 'control' | 'terminal')[];
  /** What this person may open of it. */
  readonly kinds: readonly ('screen' | 'terminal')[];
}

export interface MachineList {
  readonly consoles: readonly Machine[];
  readonly stale?: boolean;
}

export interface Grant {
  /** The session's id, which people quote to support. */
  readonly id: string;
  readonly url: string;
  readonly protocols: readonly string[];
  readonly machine: { readonly name: string; readonly type: 'qemu' | 'lxc'; readonly node: string };
}

const deadline = 15_000;

/** Every request of the pages to the broker. It never rejects: whatever goes wrong becomes a Problem. */
async function request<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(deadline),
    });
  } catch {
    return { ok: false, problem: { code: 'network' } };
  }
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

export const api = {
  signIn: (username: string, password: string) =>
    request<{ user: User }>('POST', '/login', { username, password }),
  signOut: () => request<undefined>('POST', '/logout'),
  me: () => request<{ user: User }>('GET', '/me'),
  machines: () => request<MachineList>('GET', '/consoles'),
  grant: (cluster: string, vmid: number, mode: 'control' | 'view', kind: 'screen' | 'terminal') =>
    request<Grant>('POST', `/consoles/${encodeURIComponent(cluster)}/${vmid}/grants`, {
      mode,
      kind,
    }),
};
