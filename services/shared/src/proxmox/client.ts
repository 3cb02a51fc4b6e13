import type { z } from 'zod';
import type { Clock } from '../time/clock.ts';
import type { ClusterConfig, CredentialConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';
import { systemRandom, type RandomBytes } from '../crypto/random.ts';
import type { CircuitState } from './circuit-breaker.ts';
import { callNameOf } from './call-name.ts';
import { createProxmoxCredential, type RequestTicket } from './credential.ts';
import { createCircuitBreakingDial, type HostStateChange } from './circuit-breaking-dial.ts';
import { createProxmoxHttp, type ProxmoxResponse, type ProxmoxRequest } from './http.ts';
import type { CallObservation } from './metrics.ts';
import { createProxmoxDial, type ProxmoxDial } from './dial.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import { traceCalls } from './trace-calls.ts';
import { createTrustPolicyReader } from './trust-policy.ts';

/** One host of a cluster: where calls and console sockets go. */
export interface ProxmoxHost {
  readonly base: URL;
  readonly nodeName?: string | undefined;
}

export interface CallOptions<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
  readonly signal?: AbortSignal | undefined;
}

/** Headers that prove somebody else than us. */
export type CredentialHeaders = Readonly<Record<string, string>>;

/**
 * Calls to one Proxmox cluster with one credential. A GET that fails on its way is tried once more; a POST
 * never is, because vncproxy leaves a listener and a task behind each time.
 */
export interface ProxmoxClient {
  /** At the given host, or at whichever entry point answers. With `as` in the name of somebody else. */
  get<T>(
    call: CallOptions<T> & {
      host?: ProxmoxHost | undefined;
      credentialHeaders?: CredentialHeaders | undefined;
    },
  ): Promise<T>;
  /** At the given host, or at the entry point that answered last. */
  post<T>(
    call: CallOptions<T> & {
      host?: ProxmoxHost | undefined;
      form: Readonly<Record<string, string>>;
    },
  ): Promise<T>;
  /** POST /access/ticket, in nobody's name: the form says who signs in, and the answer is theirs. */
  readonly requestTicket: RequestTicket;
  /** Headers for the console socket: the same credential that made the POST. */
  headers(): Promise<Readonly<Record<string, string>>>;
  readonly dial: ProxmoxDial;
  readonly entryPoints: readonly ProxmoxHost[];
  /** The entry point that a call would go to first: the one that answered last, unless it is known to be away. */
  entryPoint(): ProxmoxHost;
  /** Whether the hosts that were dialled so far are left alone for a moment. */
  hostStates(): readonly CircuitState[];
  close(): Promise<void>;
}

export function createProxmoxClient(deps: {
  readonly cluster: ClusterConfig;
  readonly credential: CredentialConfig;
  readonly clock: Clock;
  readonly random?: RandomBytes;
  readonly tracing?: Tracing;
  readonly timeoutMs?: number;
  readonly onCallCompleted?: ((seen: CallObservation) => void) | undefined;
  readonly onHostStateChange?: ((change: HostStateChange) => void) | undefined;
}): ProxmoxClient {
  const { cluster, clock, tracing = noTracing, timeoutMs = 15_000 } = deps;
  const trustPolicy = createTrustPolicyReader(cluster.tls);
  const guarded = createCircuitBreakingDial(createProxmoxDial(cluster.tls, clock, { trustPolicy }), {
    clock,
    random: deps.random ?? systemRandom,
    onChange: deps.onHostStateChange,
  });
  const { dial } = guarded;
  const http = traceCalls(createProxmoxHttp({ dial, clock, trustPolicy }), tracing);
  const entries: readonly ProxmoxHost[] = cluster.urls.map((base) => ({ base }));
  const requestTicket: RequestTicket = (form) =>
    anywhere((host) => send(requestTo(host, 'POST', '/access/ticket', { form })));
  const credential = createProxmoxCredential(deps.credential, { clock, requestTicket });

  /** Counts the call, however it comes out. */
  async function send(request: ProxmoxRequest): Promise<ProxmoxResponse> {
    const began = clock.now();
    let status: number | undefined;
    let date: string | undefined;
    try {
      const answer = await http.send(request);
      ({ status, date } = answer);
      return answer;
    } finally {
      const seconds = (clock.now() - began) / 1000;
      deps.onCallCompleted?.({ call: callNameOf(request.path), status, seconds, date });
    }
  }

  function requestTo(
    host: ProxmoxHost,
    method: 'GET' | 'POST',
    path: string,
    rest: Pick<ProxmoxRequest, 'form' | 'signal'> & { headers?: Readonly<Record<string, string>> },
  ): ProxmoxRequest {
    return { base: host.base, nodeName: host.nodeName, method, path, headers: {}, timeoutMs, ...rest };
  }

  /** Which entry point answered last: one that is off costs its deadline once, not at every call. */
  let answering = 0;
  const inTurn = () => [...entries.keys()].map((turn) => (answering + turn) % entries.length);
  const entryAt = (index: number) => entries[index] as ProxmoxHost; // an index of this very list

  /**
   * Tries the entry points in turn until one answers. A host that is off often does not even refuse. One whose
   * certificate is not the expected one gets no credential and no say, and the others are as good as before.
   */
  async function anywhere(
    attempt: (host: ProxmoxHost) => Promise<ProxmoxResponse>,
    signal?: AbortSignal,
  ): Promise<ProxmoxResponse> {
    let last: (() => ProxmoxResponse) | undefined;
    for (const index of inTurn()) {
      try {
        const answer = await attempt(entryAt(index));
        last = () => answer;
        if (cameFromNobody(answer)) continue;
        answering = index;
        return answer;
      } catch (error) {
        if (signal?.aborted || !saysAway(error)) throw error;
        last = () => {
          throw error;
        };
      }
    }
    if (!last) throw new Error('A cluster has at least one entry point.');
    return last();
  }

  function entry(): ProxmoxHost {
    const well = inTurn().find((index) => {
      const { hostname, port } = entryAt(index).base;
      return guarded.stateOf(hostname.replace(/^\[|\]$/g, ''), Number(port) || 443) === 'closed';
    });
    return entryAt(well ?? answering);
  }

  /** With our credential; once more with a fresh one when Proxmox no longer takes the cached ticket. */
  async function authorised(send: (headers: Readonly<Record<string, string>>) => Promise<ProxmoxResponse>) {
    const headers = await credential.headers();
    const answer = await send(headers);
    if (answer.status !== 401 || deps.credential.kind === 'token') return answer;
    credential.invalidate(headers);
    return send(await credential.headers());
  }

  return {
    async get({ path, schema, host, signal, credentialHeaders: as }) {
      const at = (target: ProxmoxHost) => {
        const ask = (headers: CredentialHeaders) => send(requestTo(target, 'GET', path, { headers, signal }));
        return as ? ask(as) : authorised(ask);
      };
      const attempt = () => (host ? at(host) : anywhere(at, signal));
      const answer = await attempt().catch((error: unknown) => {
        if (!isUnreachable(error) || signal?.aborted) throw error;
        return attempt(); // a kept connection may have been closed under our request
      });
      return accept(answer, schema, `GET ${path}`);
    },
    async post({ path, schema, host, form, signal }) {
      const answer = await authorised((headers) =>
        send(requestTo(host ?? entry(), 'POST', path, { headers, form, signal })),
      );
      return accept(answer, schema, `POST ${path}`);
    },
    requestTicket,
    headers: () => credential.headers(),
    dial,
    entryPoints: entries,
    entryPoint: entry,
    hostStates: () => guarded.states(),
    close: () => http.close(),
  };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof PortholeError && error.code === 'proxmox_unreachable';
}

function saysAway(error: unknown): boolean {
  return (
    error instanceof PortholeError &&
    (error.code === 'proxmox_unreachable' || error.code === 'proxmox_timeout' || error.code === 'proxmox_tls')
  );
}

/**
 * AnyEvent's own codes, passed on by a node that could not reach what should answer, its own pvedaemon included:
 * 595 connect, 596 TLS or no answer, 597 body, 599 other.
 */
function cameFromNobody({ status }: ProxmoxResponse): boolean {
  return status >= 595 && status <= 599;
}

/** The parsed data of a good answer; otherwise the error that says which kind of bad it is. */
function accept<T>(answer: ProxmoxResponse, schema: z.ZodType<T>, what: string): T {
  const detail = `${what}: ${answer.status} ${answer.reason}`;
  if (answer.status === 200) {
    const parsed = schema.safeParse(answer.json);
    if (parsed.success) return parsed.data;
    throw new PortholeError('proxmox_invalid_response', {
      detail: `${what}: ${parsed.error.issues[0]?.message ?? 'no JSON'}`,
    });
  }
  if (answer.status === 401) throw new PortholeError('proxmox_credential', { detail });
  if (answer.status === 403) throw new PortholeError('proxmox_permission', { detail });
  if (cameFromNobody(answer)) throw new PortholeError('proxmox_unreachable', { detail });
  // The reason phrase is the first line of Perl's die: no other sign says that the machine is not on this node.
  if (answer.status === 500 && /Configuration file .* does not exist|hostname lookup/.test(answer.reason))
    throw new PortholeError('machine_not_found', { detail });
  throw new PortholeError('proxmox_invalid_response', { detail });
}
