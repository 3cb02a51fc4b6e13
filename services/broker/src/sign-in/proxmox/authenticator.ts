import { ticketAnswer } from '@porthole/shared/proxmox/answers';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { factorsOfChallenge, type TfaFactor } from './tfa-challenge.ts';

/** What proves an account of Proxmox for two hours. */
export interface AccountTicket {
  /** `name@realm`, as Proxmox writes it. */
  readonly userid: string;
  readonly ticket: string;
}

/** The password was right, and Proxmox wants a code on top. */
export interface TfaChallenge {
  readonly userid: string;
  readonly challenge: string;
  readonly factors: readonly TfaFactor[];
}

/** Signing in with an account of a Proxmox cluster, by POST /access/ticket. */
export interface ProxmoxAuthenticator {
  /** Rejects with `wrong_password`. */
  signIn(userid: string, password: string): Promise<AccountTicket | TfaChallenge>;
  /** Rejects with `wrong_code`. */
  answerChallenge(challenge: TfaChallenge, factor: TfaFactor, code: string): Promise<AccountTicket>;
  /** A ticket proves itself. Rejects with `not_signed_in` when it does so no more. */
  renewTicket(ticket: AccountTicket): Promise<AccountTicket>;
}

/** Proxmox says nothing but "authentication failure", whatever is wrong (AccessControl.pm, create_ticket). */
export function createProxmoxAuthenticator(
  client: Pick<ProxmoxClient, 'requestTicket'>,
): ProxmoxAuthenticator {
  async function ask(form: Readonly<Record<string, string>>, refused: ErrorCode) {
    const answer = await client.requestTicket(form);
    const detail = `sign-in at Proxmox: ${answer.status} ${answer.reason}`;
    // 400: longer than Proxmox takes, so nobody's name or password.
    if (answer.status === 401 || answer.status === 400) throw new PortholeError(refused, { detail });
    const parsed = ticketAnswer.safeParse(answer.json);
    if (answer.status !== 200 || !parsed.success)
      throw new PortholeError('proxmox_invalid_response', { detail });
    return parsed.data.data;
  }

  /** Realms that don't look at upper and lower case answer with the name as it is written. */
  function canonical(asked: string, given: string | undefined): string {
    if (given === undefined || given.toLowerCase() === asked.toLowerCase()) return given ?? asked;
    throw new PortholeError('proxmox_invalid_response', { detail: 'Proxmox signed in somebody else' });
  }

  return {
    async signIn(asked, password) {
      // A ticket would pass as a password. Nobody signs in with one that they may have found somewhere.
      if (password.startsWith('PVE:')) throw new PortholeError('wrong_password', { detail: 'a ticket' });
      const { username, ticket, NeedTFA } = await ask({ username: asked, password }, 'wrong_password');
      const userid = canonical(asked, username);
      if (NeedTFA === undefined) return { userid, ticket };
      const factors = factorsOfChallenge(ticket);
      if (factors.length === 0) throw new PortholeError('second_factor_unusable');
      return { userid, challenge: ticket, factors };
    },
    async answerChallenge({ userid, challenge }, factor, code) {
      const form = { username: userid, 'tfa-challenge': challenge, password: `${factor}:${code}` };
      const { username, ticket, NeedTFA } = await ask(form, 'wrong_code');
      if (NeedTFA !== undefined) throw new PortholeError('wrong_code', { detail: 'Proxmox wants another' });
      return { userid: canonical(userid, username), ticket };
    },
    async renewTicket({ userid, ticket }) {
      const renewed = await ask({ username: userid, password: ticket }, 'not_signed_in');
      if (renewed.NeedTFA !== undefined) throw new PortholeError('not_signed_in', { detail: 'a challenge' });
      return { userid: canonical(userid, renewed.username), ticket: renewed.ticket };
    },
  };
}
