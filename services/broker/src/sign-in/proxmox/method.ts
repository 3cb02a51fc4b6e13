import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import { asPortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import { leaseNames } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { PermissionBoundary } from '../../access/subject.ts';
import type { Login } from '../login-sessions.ts';
import type { LoginMethod } from '../method.ts';
import type { User } from '../user.ts';
import type { AccountTicket, ProxmoxAccounts } from './account.ts';
import type { KnownReach } from './known-reach.ts';
import type { Reach } from './reach.ts';

/** Tickets live two hours. Renewed this often, so that whoever is disabled at Proxmox is out here soon. */
const renewMs = 15 * 60_000;
/** By their age alone, with a minute for clocks that differ. */
const expiredMs = 7_200_000 - 60_000;
/** Milliseconds for which one broker renews and the others go on with what they have. */
const renewLease = 30_000;

/** In the record of the sign-in, which only its cookie opens. */
const accountFacts = z.object({ userid: z.string(), ticket: z.string(), since: z.number() });
export type AccountFacts = z.infer<typeof accountFacts>;

export const methodOf = ({ cluster }: Pick<ProxmoxSignInConfig, 'cluster'>): string => `proxmox:${cluster}`;

/** Whoever signed in with an account of Proxmox, with what that account reaches. */
export function createProxmoxMethod(deps: {
  readonly config: ProxmoxSignInConfig;
  readonly accounts: Pick<ProxmoxAccounts, 'renew'>;
  readonly reach: KnownReach;
  readonly leases: Pick<LeaseStore, 'tryAcquire'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Ends a sign-in that Proxmox no longer takes, and its consoles. */
  readonly revoke: (login: Login) => Promise<void>;
}): LoginMethod {
  const { config, clock, log } = deps;
  const method = methodOf(config);
  const ageOf = ({ since }: AccountFacts) => clock.now() - since;

  /** The facts as they are after it, or undefined when Proxmox refused. */
  async function renew(login: Login, facts: AccountFacts): Promise<AccountFacts | undefined> {
    const name = leaseNames.recheck(login.ref);
    if (!(await deps.leases.tryAcquire(name, `${login.ref}${clock.now()}`, 1, renewLease))) return facts;
    const latest = await login.again();
    const current = accountFacts.safeParse(latest?.facts).data;
    if (!latest || !current) return undefined;
    if (ageOf(current) < renewMs) return current;
    try {
      const next = { ...(await deps.accounts.renew(current)), since: clock.now() };
      await latest.rewrite(next satisfies AccountFacts);
      return next;
    } catch (thrown) {
      const { code } = asPortholeError(thrown);
      if (code === 'not_signed_in') return refused(latest);
      log.warn({ method, code }, 'a ticket of Proxmox could not be renewed');
      return current;
    }
  }

  async function refused(login: Login): Promise<undefined> {
    log.info({ method, login: login.ref }, 'Proxmox no longer takes a sign-in');
    await deps.revoke(login);
  }

  async function userWithReach(login: Login, facts: AccountFacts, acts: boolean): Promise<User | undefined> {
    try {
      const reach = await deps.reach.of(login.ref, facts, acts);
      return { ...userOfAccount(config, facts), permissionBoundary: atMostOf(config, reach) };
    } catch (thrown) {
      if (asPortholeError(thrown).code !== 'not_signed_in') throw thrown;
      return refused(login);
    }
  }

  return {
    name: method,
    async userOf(login, { acts }) {
      let facts = accountFacts.safeParse(login.facts).data;
      // Whoever sent nothing for two hours signs in again, as at Proxmox. Their consoles are as old as any and go on.
      if (!facts || ageOf(facts) >= expiredMs) return undefined;
      if (ageOf(facts) >= renewMs) facts = await renew(login, facts);
      return facts && userWithReach(login, facts, acts);
    },
  };
}

export function userOfAccount(config: ProxmoxSignInConfig, { userid }: Pick<AccountTicket, 'userid'>): User {
  const name = config.shortNames ? userid.slice(0, userid.lastIndexOf('@')) : userid;
  return { id: `${methodOf(config)}:${userid}`, name: name.normalize('NFC'), groups: [] };
}

/** An account of one cluster says nothing about the machines of another. */
function atMostOf({ cluster }: ProxmoxSignInConfig, reach: Reach): PermissionBoundary {
  return (target) => (target.cluster === cluster ? reach(target.vmid) : new Set());
}
