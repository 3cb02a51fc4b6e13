import { PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { ticketResponse } from '@porthole/shared/proxmox/responses';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { isGatewayError } from '@porthole/shared/proxmox/parse-response';
import { factorsOfChallenge, type TfaFactor } from './tfa-challenge.ts';

/** The ticket of a Proxmox account, valid for two hours. */
export interface AccountTicket {
  /** `name@realm`, as Proxmox spells it. */
  readonly userid: string;
  readonly ticket: string;
}

/** The password is right, and Proxmox asks for a second factor. */
export interface TfaChallenge {
  readonly userid: string;
  readonly challenge: string;
  readonly factors: readonly TfaFactor[];
}

/** Signs in accounts of a Proxmox cluster, by POST /access/ticket. */
export interface ProxmoxAuthenticator {
  /** Rejects with `wrong_password`, or with `second_factor_unusable` if no second factor can be typed. */
  signIn(userid: string, password: string): Promise<AccountTicket | TfaChallenge>;
  /** Rejects with `wrong_code`. */
  answerChallenge(challenge: TfaChallenge, factor: TfaFactor, code: string): Promise<AccountTicket>;
  /** Exchanges a valid ticket for a new one. Rejects with `not_signed_in` if Proxmox rejects the ticket. */
  renewTicket(ticket: AccountTicket): Promise<AccountTicket>;
}

/** Proxmox reports every failure as "authentication failure" (AccessControl.pm, create_ticket). */
export function createProxmoxAuthenticator(
  client: Pick<ProxmoxClient, 'requestTicket'>,
): ProxmoxAuthenticator {
  async function request(form: Readonly<Record<string, string>>, refused: ErrorCode) {
    const answer = await client.requestTicket(form);
    const detail = `sign-in at Proxmox: ${answer.status} ${answer.reason}`;
    // Proxmox answers 400 to names and passwords that are longer than any valid one.
    if (answer.status === 401 || answer.status === 400) throw new PortholeError(refused, { detail });
    if (isGatewayError(answer)) throw new PortholeError('proxmox_unreachable', { detail });
    const parsed = ticketResponse.safeParse(answer.json);
    if (answer.status !== 200 || !parsed.success)
      throw new PortholeError('proxmox_invalid_response', { detail });
    return parsed.data.data;
  }

  /** Case-insensitive realms return the name in its stored spelling. */
  function canonicalUserid(requested: string, returned: string | undefined): string {
    if (returned === undefined || returned.toLowerCase() === requested.toLowerCase())
      return returned ?? requested;
    throw new PortholeError('proxmox_invalid_response', { detail: 'Proxmox returned another user' });
  }

  return {
    async signIn(requested, password) {
      // Proxmox accepts a ticket as a password, so a leaked ticket would sign in.
      if (password.startsWith('PVE:')) throw new PortholeError('wrong_password', { detail: 'a ticket' });
      const { username, ticket, NeedTFA } = await request(
        { username: requested, password },
        'wrong_password',
      );
      const userid = canonicalUserid(requested, username);
      if (NeedTFA === undefined) return { userid, ticket };
      const factors = factorsOfChallenge(ticket);
      if (factors.length === 0) throw new PortholeError('second_factor_unusable');
      return { userid, challenge: ticket, factors };
    },
    async answerChallenge({ userid, challenge }, factor, code) {
      const form = { username: userid, 'tfa-challenge': challenge, password: `${factor}:${code}` };
      const { username, ticket, NeedTFA } = await request(form, 'wrong_code');
      if (NeedTFA !== undefined)
        throw new PortholeError('wrong_code', { detail: 'Proxmox asks for another second factor' });
      return { userid: canonicalUserid(userid, username), ticket };
    },
    async renewTicket({ userid, ticket }) {
      const renewed = await request({ username: userid, password: ticket }, 'not_signed_in');
      if (renewed.NeedTFA !== undefined)
        throw new PortholeError('not_signed_in', { detail: 'Proxmox asks for a second factor' });
      return { userid: canonicalUserid(userid, renewed.username), ticket: renewed.ticket };
    },
  };
}
