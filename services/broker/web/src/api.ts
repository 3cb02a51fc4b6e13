import type { ErrorCode } from '@porthole/shared/errors';
import { basePath } from './base-path.ts';
import type { ClassAction, ClassList } from './class-types.ts';
import type { RecordingDetails, RecordingFilter, RecordingList } from './recording-types.ts';

/** Why a request to the broker failed. `network`: no answer. `invalid_response`: not an answer of the API. */
export interface Problem {
  readonly code: ErrorCode | 'network' | 'invalid_response';
  /** The broker's own sentence, safe to show to users. */
  readonly title?: string;
  /** Seconds, from the header Retry-After. */
  readonly retryAfter?: number;
  readonly requestId?: string;
}

export type Answer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export interface User {
  readonly id: string;
  readonly name: string;
  /** The user's full name, if it differs from the sign-in name. */
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
  /** The kinds of console that the user may open. */
  readonly kinds: readonly ('screen' | 'terminal')[];
}

/** `node`: a Proxmox node, with a shell. */
export type MachineType = 'qemu' | 'lxc' | 'node';

/** What the user may do with a machine. */
export type Right =
  'view' | 'control' | 'terminal' | 'watch' | 'power' | 'end' | 'explain' | 'audit' | 'recordings';

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

/** An open console. */
export interface Session {
  readonly id: string;
  readonly user: { readonly id: string; readonly name: string; readonly displayName?: string };
  readonly machine: Pick<Machine, 'cluster' | 'vmid' | 'name' | 'type' | 'node'>;
  readonly mode: 'view' | 'control';
  readonly kind: 'screen' | 'terminal';
  /** This session observes other users' sessions. */
  readonly observer?: boolean;
  /** The page is hidden and its console at Proxmox is closed. */
  readonly parked?: boolean;
  /** This session has taken control of its machine. */
  readonly hasControl?: boolean;
  readonly relay: string;
  readonly since: string;
  readonly bytes: { readonly toViewer: number; readonly toMachine: number };
  /** Names of the observers of this session. */
  readonly observers: readonly string[];
  readonly mine: boolean;
  readonly may: readonly ('end' | 'watch' | 'control' | 'sign_out')[];
}

export interface SessionList {
  /** The classes that the user instructs. */
  readonly classes: readonly { readonly name: string; readonly title: string }[];
  readonly sessions: readonly Session[];
  readonly truncated?: boolean;
}

export interface MachineList {
  readonly consoles: readonly Machine[];
  readonly stale?: boolean;
  /** The age of the oldest part of a stale list. */
  readonly staleSeconds?: number;
  /** The machines of a cluster that does not respond are missing. */
  readonly incomplete?: boolean;
}

export interface Grant {
  /** The session's id, which users quote to support. */
  readonly id: string;
  readonly url: string;
  readonly protocols: readonly string[];
  readonly machine: { readonly name: string; readonly type: MachineType; readonly node: string };
  readonly allow?: readonly Right[];
}

/** A grant for the small pictures of a class. */
export interface WallGrant {
  readonly id: string;
  readonly url: string;
  readonly protocols: readonly string[];
  /** The number of each machine on the wall. */
  readonly seats: readonly { readonly seat: number; readonly cluster: string; readonly vmid: number }[];
}

const requestTimeoutMs = 15_000;

/** Sends a request to the broker. Never rejects: a failure becomes a `Problem`. */
async function request<T>(
  method: string,
  path: string,
  body?: unknown,
  embedToken?: string,
): Promise<Answer<T>> {
  return read<T>(
    await send(method, path, body, embedToken === undefined ? {} : { 'x-porthole-embed-token': embedToken }),
  );
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response | undefined> {
  try {
    return await fetch(`${basePath}api/v1${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(requestTimeoutMs),
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
    // Tests check the broker's answers against its OpenAPI file, so the pages trust them.
    return { ok: true, value: (await response.json()) as T };
  } catch {
    return { ok: false, problem: { code: 'invalid_response' } };
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
    // An ingress or a load balancer answered instead of the broker.
  }
  const code =
    response.status === 401 ? 'not_signed_in' : response.status === 429 ? 'rate_limited' : 'invalid_response';
  return { code, ...retryAfter };
}

/** A sign-in method that the broker offers. */
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

/** The password was right, and a second factor is required. */
export interface SecondFactor {
  readonly id: string;
  readonly factors: readonly Factor[];
}

export type SignInStep = { readonly user: User } | { readonly secondFactor: SecondFactor };

/** Without `value`, nothing has changed since the request with this ETag. */
export interface WithEtag<T> {
  readonly etag: string | undefined;
  readonly value?: T;
}

/** Requests a resource unless it still has this ETag. */
async function requestIfChanged<T>(path: string, etag: string | undefined): Promise<Answer<WithEtag<T>>> {
  const response = await send('GET', path, undefined, etag === undefined ? {} : { 'if-none-match': etag });
  if (response?.status === 304) return { ok: true, value: { etag } };
  const answer = await read<T>(response);
  return answer.ok
    ? { ok: true, value: { etag: response?.headers.get('etag') ?? undefined, value: answer.value } }
    : answer;
}

/** URLs in answers start with the API's path, which `request` adds. */
const apiPath = (url: string) => url.replace(/^\/api\/v1/, '');

/** A chunk of a recording, and what is wrong with it. */
async function recordingChunk(
  id: string,
  part: string,
  chunk: number,
): Promise<Answer<{ readonly bytes: ArrayBuffer; readonly problem: string | undefined }>> {
  const response = await send('GET', `/recordings/${id}/parts/${part}/chunks/${chunk}`);
  if (!response) return { ok: false, problem: { code: 'network' } };
  if (!response.ok) return { ok: false, problem: await problemOf(response) };
  try {
    const problem = response.headers.get('x-recording-problem') ?? undefined;
    return { ok: true, value: { bytes: await response.arrayBuffer(), problem } };
  } catch {
    return { ok: false, problem: { code: 'network' } };
  }
}

export const api = {
  signInMethods: () => request<{ methods: readonly SignInMethod[] }>('GET', '/login'),
  signIn: (username: string, password: string) =>
    request<{ user: User }>('POST', '/login', { username, password }),
  signInAtProxmox: (url: string, realm: string, username: string, password: string) =>
    request<SignInStep>('POST', apiPath(url), { realm, username, password }),
  secondFactor: (url: string, id: string, factor: Factor, code: string) =>
    request<{ user: User }>('POST', `${apiPath(url)}/code`, { id, factor, code }),
  signOut: () => request<{ url: string } | undefined>('POST', '/logout'),
  redeemEmbedCode: (code: string) => request<{ token: string }>('POST', '/embed-tokens', { code }),
  me: () =>
    request<{ user: User; canSeeSessions?: boolean; canSeeClasses?: boolean; canSeeRecordings?: boolean }>(
      'GET',
      '/me',
    ),
  classes: (name: string | undefined, etag: string | undefined) =>
    requestIfChanged<ClassList>(
      name === undefined ? '/classes' : `/classes?name=${encodeURIComponent(name)}`,
      etag,
    ),
  classAction: (name: string, action: ClassAction) =>
    request<undefined>('POST', `/classes/${encodeURIComponent(name)}/actions`, action),
  openWall: (name: string, renews: string | undefined) =>
    request<WallGrant>(
      'POST',
      `/classes/${encodeURIComponent(name)}/wall`,
      renews === undefined ? undefined : { renews },
    ),
  sessions: (className: string | undefined, etag: string | undefined) =>
    requestIfChanged<SessionList>(
      `/sessions?${className === undefined ? 'scope=all' : `scope=class&class=${encodeURIComponent(className)}`}`,
      etag,
    ),
  recordings: (filter: RecordingFilter, cursor: string | undefined) =>
    request<RecordingList>(
      'GET',
      `/recordings?${new URLSearchParams({ ...filter, ...(cursor === undefined ? {} : { cursor }) }).toString()}`,
    ),
  recording: (id: string) => request<RecordingDetails>('GET', `/recordings/${encodeURIComponent(id)}`),
  recordingChunk,
  holdRecording: (id: string, hold: boolean) =>
    request<undefined>(hold ? 'PUT' : 'DELETE', `/recordings/${encodeURIComponent(id)}/hold`),
  deleteRecording: (id: string) => request<undefined>('DELETE', `/recordings/${encodeURIComponent(id)}`),
  signOutUser: (id: string) =>
    request<{ signIns: number; consoles: number }>('DELETE', `/logins?user=${encodeURIComponent(id)}`),
  endSession: (id: string) => request<undefined>('DELETE', `/sessions/${encodeURIComponent(id)}`),
  changeControl: (sessionId: string, action: 'take' | 'release') =>
    request<undefined>('POST', `/sessions/${encodeURIComponent(sessionId)}/control`, { action }),
  endClass: (name: string) =>
    request<{ ended: number }>('DELETE', `/sessions?class=${encodeURIComponent(name)}`),
  power: (cluster: string, vmid: number, action: PowerAction) =>
    request<{ task: string }>('POST', `/consoles/${encodeURIComponent(cluster)}/${vmid}/power`, { action }),
  powerTask: (cluster: string, vmid: number, task: string) =>
    request<PowerTask>(
      'GET',
      `/consoles/${encodeURIComponent(cluster)}/${vmid}/power/${encodeURIComponent(task)}`,
    ),
  machines: (embedToken?: string) => request<MachineList>('GET', '/consoles', undefined, embedToken),
  grant: (
    cluster: string,
    vmid: number,
    requested: {
      readonly mode: 'control' | 'view';
      readonly kind: 'screen' | 'terminal';
      /** Input reaches the machine only while the session has taken control. */
      readonly inputWhenTaken?: boolean;
      /** The session that the page returns to. */
      readonly reopens?: string;
      /** See what is shown to a class of the user. */
      readonly follow?: 'class';
      /** The user agrees that the console is recorded. */
      readonly consent?: true;
    },
    embedToken?: string,
  ) =>
    request<Grant>('POST', `/consoles/${encodeURIComponent(cluster)}/${vmid}/grants`, requested, embedToken),
};
