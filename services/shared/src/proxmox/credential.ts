import type { Clock } from '../time/clock.ts';
import type { CredentialConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';
import { ticketResponse } from './responses.ts';
import type { ProxmoxResponse } from './http.ts';

/** Headers that prove who we are, for REST calls and for the WebSocket alike. */
export interface ProxmoxCredential {
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Proxmox refused these headers: forget them, unless there are newer ones already. */
  invalidate(refused: Readonly<Record<string, string>>): void;
}

/** Posts the form to /access/ticket at whichever entry node answers. */
export type RequestTicket = (form: Readonly<Record<string, string>>) => Promise<ProxmoxResponse>;

/** Tickets live 2 h at Proxmox (AccessControl.pm). Renewing after one leaves an hour for Proxmox to be away. */
const renewAfterMs = 3_600_000;
const expiresAfterMs = 7_200_000 - 60_000;

export function createProxmoxCredential(
  config: CredentialConfig,
  deps: { clock: Clock; requestTicket: RequestTicket },
): ProxmoxCredential {
  if (config.kind === 'token') {
    return {
      headers: async () => ({ authorization: `PVEAPIToken=${config.token}=${config.secret()}` }),
      invalidate: () => {},
    };
  }
  return createTicketCredential(config, deps);
}

interface Ticket {
  readonly headers: Readonly<Record<string, string>>;
  readonly ticket: string;
  readonly since: number;
}

function createTicketCredential(
  config: Extract<CredentialConfig, { kind: 'password' }>,
  { clock, requestTicket }: { clock: Clock; requestTicket: RequestTicket },
): ProxmoxCredential {
  let current: Ticket | undefined;
  let pending: Promise<Ticket> | undefined;

  async function login(password: string): Promise<Ticket> {
    const since = clock.now();
    const answer = await requestTicket({ username: config.username, password });
    if (answer.status === 401)
      throw new PortholeError('proxmox_credential', {
        detail: `sign-in of ${config.username}: ${answer.reason}`,
      });
    const parsed = ticketResponse.safeParse(answer.json);
    if (!parsed.success)
      throw new PortholeError('proxmox_invalid_response', {
        detail: `sign-in: ${answer.status} ${answer.reason}`,
      });
    const { ticket, CSRFPreventionToken, NeedTFA } = parsed.data.data;
    if (NeedTFA !== undefined)
      throw new PortholeError('proxmox_credential', {
        detail: `${config.username} needs a second factor, which a service can not give; use an API token`,
      });
    return {
      ticket,
      since,
      headers: {
        cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}`,
        ...(CSRFPreventionToken ? { csrfpreventiontoken: CSRFPreventionToken } : {}),
      },
    };
  }

  /** A ticket can be renewed with itself, which spares the password check; when that fails the password counts. */
  async function fetchTicket(): Promise<Ticket> {
    if (current && clock.now() - current.since < expiresAfterMs) {
      try {
        return await login(current.ticket);
      } catch (error) {
        if (!(error instanceof PortholeError && error.code === 'proxmox_credential')) throw error;
      }
    }
    return login(config.password());
  }

  return {
    async headers() {
      const age = current ? clock.now() - current.since : Number.POSITIVE_INFINITY;
      if (current && age < renewAfterMs) return current.headers;
      pending ??= fetchTicket().finally(() => (pending = undefined));
      try {
        current = await pending;
      } catch (error) {
        // The old ticket is still good: better that than no console because a renewal failed.
        if (!current || age >= expiresAfterMs) throw error;
      }
      return current.headers;
    },
    invalidate(refused) {
      if (current?.headers === refused) current = undefined;
    },
  };
}
