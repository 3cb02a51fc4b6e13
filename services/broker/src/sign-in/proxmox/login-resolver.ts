import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import { asPortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import { leaseNames } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { AtMost } from '../../access/decide.ts';
import type { Login } from '../logins/login-sessions.ts';
import type { LoginResolver } from '../logins/login-resolver.ts';
import type { User } from '../../identity/user.ts';
import type { AccountTicket, ProxmoxAuthenticator } from './authenticator.ts';
import type { PermissionCache } from './permission-cache.ts';
import type { ProxmoxPermissions } from './permissions.ts';

/** Tickets live two hours. Renewed this often, so that whoever is disabled at Proxmox is out here soon. */
const renewMs = 15 * 60_000;
/** By their age alone, with a minute for clocks that differ. */
const expiredMs = 7_200_000 - 60_000;
/** Milliseconds for which one broker renews and the others go on with what they have. */
const renewLease = 30_000;

/** In the record of the sign-in, which only its cookie opens. */
const proxmoxLoginData = z.object({ userid: z.string(), ticket: z.string(), since: z.number() });
export type ProxmoxLoginData = z.infer<typeof proxmoxLoginData>;

export const proxmoxMethodName = ({ cluster }: Pick<ProxmoxSignInConfig, 'cluster'>): string =>
  `proxmox:${cluster}`;

/** Whoever signed in with an account of Proxmox, with what that account reaches. */
export function createProxmoxLoginResolver(deps: {
  readonly config: ProxmoxSignInConfig;
  readonly authenticator: Pick<ProxmoxAuthenticator, 'renewTicket'>;
  readonly permissions: PermissionCache;
  readonly leases: Pick<LeaseStore, 'tryAcquire'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Ends a sign-in that Proxmox no longer takes, and its consoles. */
  readonly revoke: (login: Login) => Promise<void>;
}): LoginResolver {
  const { config, clock, log } = deps;
  const method = proxmoxMethodName(config);
  const ageOf = ({ since }: ProxmoxLoginData) => clock.now() - since;

  /** The facts as they are after it, or undefined when Proxmox refused. */
  async function renew(login: Login, facts: ProxmoxLoginData): Promise<ProxmoxLoginData | undefined> {
    const name = leaseNames.recheck(login.ref);
    if (!(await deps.leases.tryAcquire(name, `${login.ref}${clock.now()}`, 1, renewLease))) return facts;
    const latest = await login.reload();
    const current = proxmoxLoginData.safeParse(latest?.data).data;
    if (!latest || !current) return undefined;
    if (ageOf(current) < renewMs) return current;
    try {
      const next = { ...(await deps.authenticator.renewTicket(current)), since: clock.now() };
      await latest.replaceData(next satisfies ProxmoxLoginData);
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

  async function userWithReach(
    login: Login,
    facts: ProxmoxLoginData,
    acts: boolean,
  ): Promise<User | undefined> {
    try {
      const reach = await deps.permissions.get(login.ref, facts, acts);
      return { ...userFromAccount(config, facts), atMost: atMostOf(config, reach) };
    } catch (thrown) {
      if (asPortholeError(thrown).code !== 'not_signed_in') throw thrown;
      return refused(login);
    }
  }

  return {
    method,
    async resolveUser(login, { requireFresh: acts }) {
      let facts = proxmoxLoginData.safeParse(login.data).data;
      // Whoever sent nothing for two hours signs in again, as at Proxmox. Their consoles are as old as any and go on.
      if (!facts || ageOf(facts) >= expiredMs) return undefined;
      if (ageOf(facts) >= renewMs) facts = await renew(login, facts);
      return facts && userWithReach(login, facts, acts);
    },
  };
}

export function userFromAccount(
  config: ProxmoxSignInConfig,
  { userid }: Pick<AccountTicket, 'userid'>,
): User {
  const name = config.shortNames ? userid.slice(0, userid.lastIndexOf('@')) : userid;
  return { id: `${proxmoxMethodName(config)}:${userid}`, name: name.normalize('NFC'), groups: [] };
}

/** An account of one cluster says nothing about the machines of another. */
function atMostOf({ cluster }: ProxmoxSignInConfig, reach: ProxmoxPermissions): AtMost {
  return (target) => (target.cluster === cluster ? reach(target.vmid) : new Set());
}
