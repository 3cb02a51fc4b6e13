import { z } from 'zod';
import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { asPortholeError } from '@porthole/shared/errors';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { PermissionBoundary } from '../../access/subject.ts';
import type { User } from '../../identity/user.ts';
import { createLoginRefresher } from '../logins/login-refresher.ts';
import type { LoginResolver } from '../logins/login-resolver.ts';
import type { Login } from '../logins/login-sessions.ts';
import type { AccountTicket, ProxmoxAuthenticator } from './authenticator.ts';
import type { PermissionCache } from './permission-cache.ts';
import type { ProxmoxPermissions } from './permissions.ts';

/** Milliseconds. Tickets are valid for two hours; earlier renewals end the sign-in of a disabled account soon. */
const renewMs = 15 * 60_000;
/** Milliseconds: two hours less a minute, because clocks can differ. */
const expiredMs = 7_200_000 - 60_000;

/** The stored data of a sign-in by Proxmox. Only the sign-in cookie decrypts it. */
const proxmoxLoginData = z.object({
  userid: z.string(),
  ticket: z.string(),
  /** Milliseconds since the epoch. */
  ticketIssuedAt: z.number(),
});
export type ProxmoxLoginData = z.infer<typeof proxmoxLoginData>;

export const proxmoxMethodName = ({ cluster }: Pick<ProxmoxSignInConfig, 'cluster'>): string =>
  `proxmox:${cluster}`;

/** Resolves sign-ins by Proxmox to users whose rights are limited to those of the account. */
export function createProxmoxLoginResolver(deps: {
  readonly config: ProxmoxSignInConfig;
  readonly authenticator: Pick<ProxmoxAuthenticator, 'renewTicket'>;
  readonly permissions: PermissionCache;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Ends a sign-in that Proxmox rejects, and its consoles. */
  readonly revoke: (login: Login) => Promise<void>;
}): LoginResolver {
  const { config, clock, log } = deps;
  const method = proxmoxMethodName(config);
  const ageOf = ({ ticketIssuedAt }: ProxmoxLoginData) => clock.now() - ticketIssuedAt;
  const isDue = (data: ProxmoxLoginData) => ageOf(data) >= renewMs;

  const renew = createLoginRefresher<ProxmoxLoginData>({
    ...deps,
    method,
    parse: (data) => proxmoxLoginData.safeParse(data).data,
    isDue,
    refresh: async (data) => ({
      ...(await deps.authenticator.renewTicket(data)),
      ticketIssuedAt: clock.now(),
    }),
  });

  async function withPermissions(
    login: Login,
    data: ProxmoxLoginData,
    requireFresh: boolean,
  ): Promise<User | undefined> {
    try {
      const permissions = await deps.permissions.get(data, requireFresh);
      return {
        ...userFromAccount(config, data),
        permissionBoundary: permissionBoundaryOf(config, permissions),
      };
    } catch (thrown) {
      if (asPortholeError(thrown).code !== 'not_signed_in') throw thrown;
      log.info({ method, login: login.ref }, 'Proxmox rejected the ticket of a sign-in');
      await deps.revoke(login);
      return undefined;
    }
  }

  return {
    method,
    async resolveUser(login, { requireFresh }) {
      let data = proxmoxLoginData.safeParse(login.data).data;
      // Without a request for two hours the user signs in again, as at Proxmox. Open consoles stay.
      if (!data || ageOf(data) >= expiredMs) return undefined;
      if (isDue(data)) data = await renew(login, data);
      return data && withPermissions(login, data, requireFresh);
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

/** An account has no rights for machines of other clusters. */
function permissionBoundaryOf(
  { cluster }: ProxmoxSignInConfig,
  permissions: ProxmoxPermissions,
): PermissionBoundary {
  return (target) => (target.cluster === cluster ? permissions(target.vmid) : new Set());
}
