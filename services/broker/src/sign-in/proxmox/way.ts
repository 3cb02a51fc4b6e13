import type { Clock } from '@porthole/shared/time/clock';
import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import { readJson } from '../../http/read-json.ts';
import { createBoundedWork } from '../bounded-work.ts';
import type { SignInDeps } from '../sign-in.ts';
import type { Way } from '../ways.ts';
import { createProxmoxAccounts } from './account.ts';
import { createKnownReach } from './known-reach.ts';
import { createProxmoxMethod } from './method.ts';
import { createSecondFactors } from './second-factor.ts';
import { enterCode, enterPassword } from './steps.ts';

/** Proxmox answers a wrong password after three seconds, so a few of these must not keep a class waiting. */
const atProxmox = { atOnce: 8, inLine: 60 };

/** Signing in with the accounts of a Proxmox cluster. */
export function createProxmoxWay(
  config: ProxmoxSignInConfig,
  deps: Pick<SignInDeps, 'logins' | 'rateLimits' | 'limits' | 'metrics' | 'audit' | 'log'> & {
    readonly client: Pick<ProxmoxClient, 'get' | 'requestTicket'>;
    readonly store: Pick<Store, 'records' | 'leases'>;
    readonly keys: SealKeys;
    readonly random: RandomBytes;
    readonly clock: Clock;
  },
): Way {
  const { client, store, clock, logins, log } = deps;
  const accounts = createProxmoxAccounts(client);
  const steps = {
    ...deps,
    config,
    accounts,
    secondFactors: createSecondFactors({ ...deps, records: store.records }),
    work: createBoundedWork(atProxmox),
  };
  const path = `/login/proxmox/${config.cluster}`;
  return {
    method: createProxmoxMethod({
      config,
      accounts,
      reach: createKnownReach({ client, clock }),
      leases: store.leases,
      clock,
      log,
      revoke: (login) => logins.endByRef(login.ref, 'provider'),
    }),
    offer: {
      kind: 'proxmox',
      url: `/api/v1${path}`,
      realms: config.realms.map(({ name, title = name }) => ({ name, title })),
    },
    mount(router) {
      router.post(path, readJson(), enterPassword(steps));
      router.post(`${path}/code`, readJson(), enterCode(steps));
    },
  };
}
