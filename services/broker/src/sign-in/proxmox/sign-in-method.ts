import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { basePathOf } from '@porthole/shared/http/base-path';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { Store } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { readJson } from '../../http/read-json.ts';
import { createConcurrencyLimiter } from '../concurrency-limiter.ts';
import type { SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { SignInMethod } from '../sign-in-methods.ts';
import { createProxmoxAuthenticator } from './authenticator.ts';
import { createProxmoxLoginResolver } from './login-resolver.ts';
import { createPendingSecondFactors } from './pending-second-factors.ts';
import { createPermissionCache } from './permission-cache.ts';
import { signInWithCode, signInWithPassword, type ProxmoxRouteDeps } from './routes.ts';

/** Proxmox answers a wrong password after three seconds, so a few of them must not block the others. */
const requestLimits = { maxRunning: 8, maxQueued: 60 };

/** Creates the sign-in with the accounts of one Proxmox cluster. */
export function createProxmoxSignInMethod(
  config: ProxmoxSignInConfig,
  deps: SignInAttemptDeps & {
    readonly client: Pick<ProxmoxClient, 'get' | 'requestTicket'>;
    readonly store: Pick<Store, 'records' | 'leases'>;
    readonly keys: SealKeys;
    readonly random: RandomBytes;
    readonly publicUrl: URL;
    readonly clock: Clock;
  },
): SignInMethod {
  const { client, clock, logins } = deps;
  const { records, leases } = deps.store;
  const authenticator = createProxmoxAuthenticator(client);
  const routes: ProxmoxRouteDeps = {
    ...deps,
    config,
    authenticator,
    pendingSecondFactors: createPendingSecondFactors({ ...deps, records }),
    limiter: createConcurrencyLimiter(requestLimits),
  };
  const path = `/login/proxmox/${config.cluster}`;
  return {
    resolver: createProxmoxLoginResolver({
      ...deps,
      config,
      authenticator,
      permissions: createPermissionCache({ client, clock }),
      leases,
      revoke: (login) => logins.endByRef(login.ref, 'provider'),
    }),
    info: {
      kind: 'proxmox',
      url: `${basePathOf(deps.publicUrl)}/api/v1${path}`,
      realms: config.realms.map(({ name, title = name }) => ({ name, title })),
    },
    mount(router) {
      router.post(path, readJson(), signInWithPassword(routes));
      router.post(`${path}/code`, readJson(), signInWithCode(routes));
    },
  };
}
