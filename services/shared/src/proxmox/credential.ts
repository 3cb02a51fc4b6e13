import type { CredentialConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import type { ProxmoxResponse } from './http.ts';
import { isGatewayError } from './parse-response.ts';
import { ticketResponse } from './responses.ts';
import type { ReadTrustPolicy, TrustPolicy } from './trust-policy.ts';

/** Headers that authenticate a REST call or the request of a console socket. */
export type CredentialHeaders = Readonly<Record<string, string>>;

/** The service's own account at a cluster. */
export interface ProxmoxCredential {
  /** Signs in if necessary. Rejects with `proxmox_credential` if Proxmox refuses the account. */
  headers(): Promise<CredentialHeaders>;
  /** Forgets the headers that Proxmox refused, unless newer ones have replaced them. */
  invalidate(refused: CredentialHeaders): void;
}

/** Sends the form to /access/ticket at the first entry point that responds. */
export type RequestTicket = (form: Readonly<Record<string, string>>) => Promise<ProxmoxResponse>;

interface TicketDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly requestTicket: RequestTicket;
  readonly trustPolicy: ReadTrustPolicy;
}

/** Proxmox accepts a ticket for 2 h (AccessControl.pm), so renewal can fail for an hour. */
const renewAfterMs = 3_600_000;
const expiresAfterMs = 7_200_000 - 60_000;

export function createProxmoxCredential(config: CredentialConfig, deps: TicketDeps): ProxmoxCredential {
  if (config.kind === 'token') {
    return {
      headers: async () => ({ authorization: `PVEAPIToken=${config.token}=${config.secret()}` }),
      invalidate: () => {},
    };
  }
  return createTicketCredential(config, deps);
}

interface LoginTicket {
  readonly headers: CredentialHeaders;
  readonly ticket: string;
  readonly requestedAt: number;
}

/** The tickets of one trust policy, which verified the peers that issued them. */
interface LoginState {
  readonly policy: TrustPolicy | undefined;
  current?: LoginTicket | undefined;
  pending?: Promise<LoginTicket> | undefined;
}

function createTicketCredential(
  config: Extract<CredentialConfig, { kind: 'password' }>,
  { clock, requestTicket, trustPolicy }: TicketDeps,
): ProxmoxCredential {
  let state: LoginState = { policy: undefined };

  function stateOfPolicy(): LoginState {
    const policy = trustPolicy();
    if (state.policy !== policy) state = { policy };
    return state;
  }

  async function signIn(password: string): Promise<LoginTicket> {
    const requestedAt = clock.now();
    const response = await requestTicket({ username: config.username, password });
    return { ...parseSignIn(response, config.username), requestedAt };
  }

  /** Renews a valid ticket with itself, which needs no password check. If Proxmox refuses it, the password is used. */
  async function fetchTicket(last: LoginTicket | undefined): Promise<LoginTicket> {
    if (last && clock.now() - last.requestedAt < expiresAfterMs) {
      try {
        return await signIn(last.ticket);
      } catch (error) {
        if (!(error instanceof PortholeError && error.code === 'proxmox_credential')) throw error;
      }
    }
    return signIn(config.password());
  }

  return {
    async headers() {
      const login = stateOfPolicy();
      const age = login.current ? clock.now() - login.current.requestedAt : Number.POSITIVE_INFINITY;
      if (login.current && age < renewAfterMs) return login.current.headers;
      login.pending ??= fetchTicket(login.current).finally(() => (login.pending = undefined));
      try {
        login.current = await login.pending;
      } catch (error) {
        // A failed renewal does not matter while the old ticket is valid.
        if (!login.current || age >= expiresAfterMs) throw error;
      }
      return login.current.headers;
    },
    invalidate(refused) {
      if (state.current?.headers === refused) state.current = undefined;
    },
  };
}

function parseSignIn(response: ProxmoxResponse, username: string): Omit<LoginTicket, 'requestedAt'> {
  if (response.status === 401)
    throw new PortholeError('proxmox_credential', { detail: `sign-in of ${username}: ${response.reason}` });
  if (isGatewayError(response))
    throw new PortholeError('proxmox_unreachable', {
      detail: `sign-in of ${username}: ${response.status} ${response.reason}`,
    });
  const parsed = ticketResponse.safeParse(response.json);
  if (response.status !== 200 || !parsed.success)
    throw new PortholeError('proxmox_invalid_response', {
      detail: `sign-in of ${username}: ${response.status} ${response.reason}`,
    });
  const { ticket, CSRFPreventionToken, NeedTFA } = parsed.data.data;
  if (NeedTFA !== undefined)
    throw new PortholeError('proxmox_credential', {
      detail: `${username} requires a second factor, which a service can not provide; use an API token`,
    });
  return {
    ticket,
    headers: {
      cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}`,
      ...(CSRFPreventionToken ? { csrfpreventiontoken: CSRFPreventionToken } : {}),
    },
  };
}
