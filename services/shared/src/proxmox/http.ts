import { Agent, errors, request } from 'undici';
import { PortholeError } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import type { Clock } from '../time/clock.ts';
import { linkSignal, type LinkedSignal } from '../time/link-signal.ts';
import type { ProxmoxDial } from './dial.ts';
import { dialTargetOf, type ProxmoxHost } from './host.ts';
import type { ReadTrustPolicy, TrustPolicy } from './trust-policy.ts';

/** A response of Proxmox's API. */
export interface ProxmoxResponse {
  readonly status: number;
  /** The reason phrase: the only text of a 401. */
  readonly reason: string;
  /** The decoded body, or undefined if it is not JSON. */
  readonly json: unknown;
  /** The Date header. */
  readonly date?: string | undefined;
}

export interface ProxmoxRequest {
  readonly host: ProxmoxHost;
  readonly method: 'GET' | 'POST';
  /** Below /api2/json, with a leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  /** Includes connecting and reading the body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ProxmoxHttp {
  /** Rejects with a PortholeError if there is no complete response. */
  send(request: ProxmoxRequest): Promise<ProxmoxResponse>;
  /** Ends all connections and requests, also those of which the connection is being opened. */
  close(): Promise<void>;
}

const maxResponseBytes = 16 * 1024 * 1024;

/** Creates the HTTP client for verified TLS connections. It does not know credentials or what a response means. */
export function createProxmoxHttp(deps: {
  readonly dial: ProxmoxDial;
  readonly clock: Clock;
  readonly trustPolicy: ReadTrustPolicy;
}): ProxmoxHttp {
  const closing = new AbortController();
  const agents = new VerifiedAgents(deps.dial, deps.trustPolicy, closing.signal);
  const inFlight = new Set<LinkedSignal>();

  async function send(call: ProxmoxRequest): Promise<ProxmoxResponse> {
    const cancellation = linkSignal(call.signal);
    inFlight.add(cancellation);
    if (closing.signal.aborted) cancellation.abort();
    let timedOut = false;
    const cancelTimer = deps.clock.after(call.timeoutMs, () => {
      timedOut = true;
      cancellation.abort();
    });
    try {
      const body = call.form && new URLSearchParams(call.form).toString();
      const response = await request(new URL(`/api2/json${call.path}`, call.host.base), {
        dispatcher: agents.get(call.host),
        method: call.method,
        headers: {
          ...call.headers,
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: cancellation.signal,
      });
      return {
        status: response.statusCode,
        reason: response.statusText,
        // 401 responses have no body; 5xx responses of the HTTP layer have plain text.
        json: parseJson(await response.body.text()),
        date: [response.headers['date']].flat()[0],
      };
    } catch (error) {
      throw toPortholeError(error, call, timedOut);
    } finally {
      cancelTimer();
      inFlight.delete(cancellation);
      cancellation.unlink();
    }
  }

  return {
    send,
    async close() {
      closing.abort();
      for (const cancellation of inFlight) cancellation.abort();
      await agents.destroy();
    },
  };
}

/** One agent per address and node name, because a connection is verified for both, and under one trust policy. */
class VerifiedAgents {
  readonly #dial: ProxmoxDial;
  readonly #trustPolicy: ReadTrustPolicy;
  readonly #closing: AbortSignal;
  readonly #agents = new Map<string, Agent>();
  #policy: TrustPolicy | undefined;

  constructor(dial: ProxmoxDial, trustPolicy: ReadTrustPolicy, closing: AbortSignal) {
    this.#dial = dial;
    this.#trustPolicy = trustPolicy;
    this.#closing = closing;
  }

  get(host: ProxmoxHost): Agent {
    const policy = this.#trustPolicy();
    if (policy !== this.#policy) this.#retire();
    this.#policy = policy;
    const key = `${host.base.origin} ${host.nodeName ?? ''}`;
    const agent = this.#agents.get(key) ?? this.#create(host);
    this.#agents.set(key, agent);
    return agent;
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  /** Idle connections end now, and the others after the response that they wait for. */
  #retire(): void {
    for (const agent of this.#agents.values()) void agent.close();
    this.#agents.clear();
  }

  #create(host: ProxmoxHost): Agent {
    return new Agent({
      allowH2: false,
      // pveproxy closes an idle connection after 5 s. Closing earlier avoids a request on a connection that closes.
      keepAliveTimeout: 3000,
      keepAliveMaxTimeout: 3000,
      maxResponseSize: maxResponseBytes,
      connect: (_options, callback) => {
        this.#dial(dialTargetOf(host), this.#closing).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
  }
}

function toPortholeError(error: unknown, call: ProxmoxRequest, timedOut: boolean): PortholeError {
  if (error instanceof PortholeError) return error;
  const detail = `${call.method} ${call.host.base.host}${call.path}`;
  if (call.signal?.aborted)
    return new PortholeError('proxmox_timeout', { detail: `${detail}: the caller cancelled the request` });
  if (timedOut)
    return new PortholeError('proxmox_timeout', {
      detail: `${detail}: no response within ${call.timeoutMs} ms`,
    });
  if (error instanceof errors.ResponseExceededMaxSizeError)
    return new PortholeError('proxmox_invalid_response', { detail: `${detail}: the response is too large` });
  return new PortholeError('proxmox_unreachable', { detail, cause: error });
}
