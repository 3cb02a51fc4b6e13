import type { z } from 'zod';
import type { ClusterConfig, CredentialConfig } from '../config/schema.ts';
import { systemRandom, type RandomBytes } from '../crypto/random.ts';
import { PortholeError } from '../errors.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import type { Clock } from '../time/clock.ts';
import { callNameOf } from './call-name.ts';
import type { CircuitState } from './circuit-breaker.ts';
import { createCircuitBreakingDial, type HostStateChange } from './circuit-breaking-dial.ts';
import { createProxmoxCredential, type CredentialHeaders, type RequestTicket } from './credential.ts';
import { createProxmoxDial, type ProxmoxDial } from './dial.ts';
import { createEntryPoints } from './entry-points.ts';
import type { ProxmoxHost } from './host.ts';
import { createProxmoxHttp, type ProxmoxRequest, type ProxmoxResponse } from './http.ts';
import type { CallObservation } from './metrics.ts';
import { parseResponse } from './parse-response.ts';
import { traceCalls } from './trace-calls.ts';
import { createTrustPolicyReader, type ReadTrustPolicy } from './trust-policy.ts';

export interface CallOptions<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls the API of one Proxmox cluster with one credential. A GET whose connection fails is sent once more. A POST is
 * never sent twice, because each vncproxy call leaves a listener and a task behind.
 */
export interface ProxmoxClient {
  /**
   * Sends a GET to the host, or to the entry points until one responds. `credentialHeaders` replace the service's own
   * credential.
   */
  get<T>(
    call: CallOptions<T> & {
      host?: ProxmoxHost | undefined;
      credentialHeaders?: CredentialHeaders | undefined;
    },
  ): Promise<T>;
  /** Sends a POST to the host, or to the preferred entry point. */
  post<T>(
    call: CallOptions<T> & {
      host?: ProxmoxHost | undefined;
      form: Readonly<Record<string, string>>;
    },
  ): Promise<T>;
  /** Sends POST /access/ticket without a credential: the form has the account that signs in. */
  readonly requestTicket: RequestTicket;
  /** Returns the headers for the console socket, which must have the credential of the vncproxy call. */
  headers(): Promise<CredentialHeaders>;
  readonly dial: ProxmoxDial;
  /** Discard what a peer said when the policy changes: the peer was verified under the policy of that time. */
  readonly trustPolicy: ReadTrustPolicy;
  readonly entryPoints: readonly ProxmoxHost[];
  /** Returns the entry point that responded last, or another one if that is unavailable. */
  entryPoint(): ProxmoxHost;
  /** Returns the circuit breaker state of each host that was dialled. */
  hostStates(): readonly CircuitState[];
  close(): Promise<void>;
}

export function createProxmoxClient(deps: {
  readonly cluster: ClusterConfig;
  readonly credential: CredentialConfig;
  readonly clock: Clock;
  readonly random?: RandomBytes;
  readonly tracing?: Tracing;
  /** For each HTTP request. */
  readonly timeoutMs?: number;
  readonly onCallCompleted?: ((call: CallObservation) => void) | undefined;
  readonly onHostStateChange?: ((change: HostStateChange) => void) | undefined;
}): ProxmoxClient {
  const { cluster, clock, tracing = noTracing, timeoutMs = 15_000 } = deps;
  const trustPolicy = createTrustPolicyReader(cluster.tls);
  const breakingDial = createCircuitBreakingDial(createProxmoxDial(cluster.tls, clock, { trustPolicy }), {
    clock,
    random: deps.random ?? systemRandom,
    onChange: deps.onHostStateChange,
  });
  const { dial, stateOf, states } = breakingDial;
  const http = traceCalls(createProxmoxHttp({ dial, clock, trustPolicy }), tracing);
  const entryPoints = createEntryPoints(cluster.urls, stateOf);
  const requestTicket: RequestTicket = (form) =>
    entryPoints.tryEach((host) => send(requestTo(host, 'POST', '/access/ticket', { form })));
  const credential = createProxmoxCredential(deps.credential, { clock, requestTicket, trustPolicy });

  /** Sends the request and reports it to `onCallCompleted`, also when it fails. */
  async function send(request: ProxmoxRequest): Promise<ProxmoxResponse> {
    const startedAt = clock.now();
    let status: number | undefined;
    let date: string | undefined;
    try {
      const response = await http.send(request);
      ({ status, date } = response);
      return response;
    } finally {
      const seconds = (clock.now() - startedAt) / 1000;
      deps.onCallCompleted?.({ call: callNameOf(request.path), status, seconds, date });
    }
  }

  function requestTo(
    host: ProxmoxHost,
    method: 'GET' | 'POST',
    path: string,
    rest: Pick<ProxmoxRequest, 'form' | 'signal'> & { headers?: CredentialHeaders },
  ): ProxmoxRequest {
    return { host, method, path, headers: {}, timeoutMs, ...rest };
  }

  /** Sends with the service's credential, and once more with a new ticket if Proxmox refuses the cached one. */
  async function withCredential(attempt: (headers: CredentialHeaders) => Promise<ProxmoxResponse>) {
    const headers = await credential.headers();
    const response = await attempt(headers);
    if (response.status !== 401 || deps.credential.kind === 'token') return response;
    credential.invalidate(headers);
    return attempt(await credential.headers());
  }

  return {
    async get({ path, schema, host, signal, credentialHeaders }) {
      const sendTo = (target: ProxmoxHost) => {
        const attempt = (headers: CredentialHeaders) =>
          send(requestTo(target, 'GET', path, { headers, signal }));
        return credentialHeaders ? attempt(credentialHeaders) : withCredential(attempt);
      };
      const sendOnce = () => (host ? sendTo(host) : entryPoints.tryEach(sendTo, signal));
      const response = await sendOnce().catch((error: unknown) => {
        if (!isUnreachable(error) || signal?.aborted) throw error;
        return sendOnce(); // Proxmox may have closed a kept connection under the request.
      });
      return parseResponse(response, schema, `GET ${path}`);
    },
    async post({ path, schema, host, form, signal }) {
      const response = await withCredential((headers) =>
        send(requestTo(host ?? entryPoints.preferred(), 'POST', path, { headers, form, signal })),
      );
      return parseResponse(response, schema, `POST ${path}`);
    },
    requestTicket,
    headers: () => credential.headers(),
    dial,
    trustPolicy,
    entryPoints: entryPoints.all,
    entryPoint: () => entryPoints.preferred(),
    hostStates: states,
    async close() {
      breakingDial.close();
      await http.close();
    },
  };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof PortholeError && error.code === 'proxmox_unreachable';
}
