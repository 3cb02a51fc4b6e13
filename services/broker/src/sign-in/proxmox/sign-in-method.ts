import type { Clock } from '@porthole/shared/time/clock';
import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import { readJson } from '../../http/read-json.ts';
import { createConcurrencyLimiter } from '../concurrency-limiter.ts';
import type { SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { SignInMethod } from '../sign-in-methods.ts';
import { createProxmoxAuthenticator } from './authenticator.ts';
import { createPermissionCache } from './permission-cache.ts';
import { createProxmoxLoginResolver } from './login-resolver.ts';
import { createPendingSecondFactors } from './pending-second-factors.ts';
import { signInWithCode, signInWithPassword } from './routes.ts';

/** Proxmox answers a wrong password after three seconds, so a few of these must not keep a class waiting. */
const atProxmox = { maxRunning: 8, maxQueued: 60 };

/** Signing in with the accounts of a Proxmox cluster. */
export function createProxmoxSignInMethod(
  config: ProxmoxSignInConfig,
  deps: SignInAttemptDeps & {
    readonly client: Pick<ProxmoxClient, 'get' | 'requestTicket'>;
    readonly store: Pick<Store, 'records' | 'leases'>;
    readonly keys: SealKeys;
    readonly random: RandomBytes;
    readonly clock: Clock;
  },
): SignInMethod {
  const { client, store, clock, logins, log } = deps;
  const authenticator = createProxmoxAuthenticator(client);
  const routes = {
    ...deps,
    config,
    authenticator,
    secondFactors: createPendingSecondFactors({ ...deps, records: store.records }),
    limiter: createConcurrencyLimiter(atProxmox),
  };
  const path = `/login/proxmox/${config.cluster}`;
  return {
    resolver: createProxmoxLoginResolver({
      config,
      authenticator,
      permissions: createPermissionCache({ client, clock }),
      leases: store.leases,
      clock,
      log,
      revoke: (login) => logins.endByRef(login.ref, 'provider'),
    }),
    info: {
      kind: 'proxmox',
      url: `/api/v1${path}`,
      realms: config.realms.map(({ name, title = name }) => ({ name, title })),
    },
    mount(router) {
      router.post(path, readJson(), signInWithPassword(routes));
      router.post(`${path}/code`, readJson(), signInWithCode(routes));
    },
  };
}
