import { Agent, errors, request } from 'undici';
import { PortholeError } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import type { Clock } from '../time/clock.ts';
import { linkSignal } from '../time/link-signal.ts';
import type { ProxmoxDial } from './dial.ts';
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
  readonly base: URL;
  readonly nodeName?: string | undefined;
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
  /** Ends all connections, including those that are being opened. */
  close(): Promise<void>;
}

const maxResponseBytes = 16 * 1024 * 1024;

/** Creates the HTTP client for verified TLS connections. It does not know credentials or what a response means. */
export function createProxmoxHttp(deps: {
  readonly dial: ProxmoxDial;
  readonly clock: Clock;
  readonly trustPolicy: ReadTrustPolicy;
}): ProxmoxHttp {
  const { dial, clock, trustPolicy } = deps;
  const closing = new AbortController();
  /** By origin and node name, all with connections that were verified under `agentsPolicy`. */
  const agents = new Map<string, Agent>();
  let agentsPolicy: TrustPolicy | undefined;
  /** Agents of former policies: they finish the requests that they have. */
  const retired = new Set<Agent>();

  function createAgent(nodeName: string | undefined): Agent {
    return new Agent({
      allowH2: false,
      // pveproxy closes an idle connection after 5 s. Closing earlier avoids a request on a connection that closes.
      keepAliveTimeout: 3000,
      keepAliveMaxTimeout: 3000,
      maxResponseSize: maxResponseBytes,
      connect: ({ hostname, port }, callback) => {
        const host = hostname.replace(/^\[|\]$/g, '');
        dial({ host, port: Number(port) || 443, nodeName }, closing.signal).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
  }

  /** One agent per node name, because a connection is verified for the name. */
  function agentFor(base: URL, nodeName: string | undefined): Agent {
    const policy = trustPolicy();
    if (policy !== agentsPolicy) retireAgents();
    agentsPolicy = policy;
    const key = `${base.origin} ${nodeName ?? ''}`;
    let agent = agents.get(key);
    if (!agent) {
      agent = createAgent(nodeName);
      agents.set(key, agent);
    }
    return agent;
  }

  function retireAgents(): void {
    for (const agent of agents.values()) {
      retired.add(agent);
      // Rejects if `close` below destroys it first.
      agent.close().then(
        () => retired.delete(agent),
        () => retired.delete(agent),
      );
    }
    agents.clear();
  }

  async function send(call: ProxmoxRequest): Promise<ProxmoxResponse> {
    const cancellation = linkSignal(call.signal);
    let timedOut = false;
    const cancelTimer = clock.after(call.timeoutMs, () => {
      timedOut = true;
      cancellation.abort();
    });
    try {
      const body = call.form && new URLSearchParams(call.form).toString();
      const response = await request(new URL(`/api2/json${call.path}`, call.base), {
        dispatcher: agentFor(call.base, call.nodeName),
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
      cancellation.unlink();
    }
  }

  return {
    send,
    async close() {
      closing.abort();
      await Promise.all([...agents.values(), ...retired].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

function toPortholeError(error: unknown, call: ProxmoxRequest, timedOut: boolean): PortholeError {
  if (error instanceof PortholeError) return error;
  const detail = `${call.method} ${call.base.host}${call.path}`;
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
