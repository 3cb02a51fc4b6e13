import { Agent, errors, request } from 'undici';
import type { Clock } from '../time/clock.ts';
import { PortholeError } from '../errors.ts';
import { linkSignal } from '../time/link-signal.ts';
import { parseJson } from '../parse-json.ts';
import type { ProxmoxDial } from './dial.ts';

/** An answer of Proxmox's API: its status, the reason phrase (the only text of a 401), the decoded body if it is JSON. */
export interface ProxmoxResponse {
  readonly status: number;
  readonly reason: string;
  readonly json: unknown;
  /** What the clock of Proxmox said, as it stands in the header. */
  readonly date?: string | undefined;
}

export interface ProxmoxRequest {
  readonly base: URL;
  readonly nodeName?: string | undefined;
  readonly method: 'GET' | 'POST';
  /** Below /api2/json, beginning with a slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ProxmoxHttp {
  send(request: ProxmoxRequest): Promise<ProxmoxResponse>;
  close(): Promise<void>;
}

const maxAnswerBytes = 16 * 1024 * 1024;

/** Plain request and answer over verified TLS. Says nothing about credentials or what an answer means. */
export function createProxmoxHttp(dial: ProxmoxDial, clock: Clock): ProxmoxHttp {
  const agents = new Map<string, Agent>();

  /** One agent per node, because the connection must know which node's name its certificate may carry. */
  function agentFor(base: URL, nodeName: string | undefined): Agent {
    const key = `${base.origin} ${nodeName ?? ''}`;
    let agent = agents.get(key);
    if (!agent) {
      agent = new Agent({
        allowH2: false,
        // pveproxy closes an idle connection after 5 s; being first avoids a request into a closing socket.
        keepAliveTimeout: 3000,
        keepAliveMaxTimeout: 3000,
        maxResponseSize: maxAnswerBytes,
        connect: ({ hostname, port }, callback) => {
          const host = hostname.replace(/^\[|\]$/g, '');
          dial({ host, port: Number(port) || 443, nodeName }).then(
            (socket) => callback(null, socket),
            (error: Error) => callback(error, null),
          );
        },
      });
      agents.set(key, agent);
    }
    return agent;
  }

  async function send(call: ProxmoxRequest): Promise<ProxmoxResponse> {
    const giveUp = linkSignal(call.signal);
    let late = false;
    const cancelLate = clock.after(call.timeoutMs, () => {
      late = true;
      giveUp.abort();
    });
    const body = call.form && new URLSearchParams(call.form).toString();
    try {
      const answer = await request(new URL(`/api2/json${call.path}`, call.base), {
        dispatcher: agentFor(call.base, call.nodeName),
        method: call.method,
        headers: {
          ...call.headers,
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: giveUp.signal,
      });
      return {
        status: answer.statusCode,
        reason: answer.statusText,
        // 401s have no body at all, 5xx of the HTTP layer have plain text.
        json: parseJson(await answer.body.text()),
        date: [answer.headers['date']].flat()[0],
      };
    } catch (error) {
      throw describe(error, call, late);
    } finally {
      cancelLate();
      giveUp.unlink();
    }
  }

  return {
    send,
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

function describe(error: unknown, call: ProxmoxRequest, late: boolean): PortholeError {
  if (error instanceof PortholeError) return error;
  const detail = `${call.method} ${call.base.host}${call.path}`;
  if (call.signal?.aborted) return new PortholeError('proxmox_timeout', { detail: `${detail}: given up` });
  if (late)
    return new PortholeError('proxmox_timeout', {
      detail: `${detail}: no answer within ${call.timeoutMs} ms`,
    });
  if (error instanceof errors.ResponseExceededMaxSizeError)
    return new PortholeError('proxmox_invalid_response', { detail: `${detail}: the answer is too large` });
  return new PortholeError('proxmox_unreachable', { detail, cause: error });
}
