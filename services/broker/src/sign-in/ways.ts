import type { Router } from '@koa/router';
import type { RequestState, Step } from '../http/context.ts';
import { backChannelLogout, readLogoutForm } from './oidc/back-channel.ts';
import { createBegunSignIns } from './oidc/begun.ts';
import { createBrowserCookie } from './oidc/browser-cookie.ts';
import { createIssuer } from './oidc/issuer.ts';
import { createOidcMethod } from './oidc/method.ts';
import { beginOidc, finishOidc, type OidcStepDeps } from './oidc/steps.ts';
import type { Config } from '@porthole/shared/config/schema';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import type { Clock } from '@porthole/shared/time/clock';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import type { LoginMethod } from './method.ts';
import type { SignInDeps } from './sign-in.ts';

/** What the sign-in page offers. */
export type Offer =
  | { readonly kind: 'local' }
  | { readonly kind: 'oidc'; readonly title: string; readonly url: string }
  | {
      readonly kind: 'proxmox';
      /** Where the password goes. */
      readonly url: string;
      readonly realms: readonly { readonly name: string; readonly title: string }[];
    };

/** A way to sign in with addresses of its own. */
export interface Way {
  readonly method: LoginMethod;
  readonly offer: Offer;
  /** Adds its routes below /api/v1. */
  mount(router: Router<RequestState>): void;
}

export function createOidcWay(
  config: OidcConfig,
  deps: Pick<SignInDeps, 'logins' | 'rateLimits' | 'limits' | 'metrics' | 'audit' | 'log'> & {
    readonly publicUrl: Config['publicUrl'];
    readonly store: Pick<Store, 'records' | 'leases'>;
    readonly keys: SealKeys;
    readonly random: RandomBytes;
    readonly clock: Clock;
  },
): Way {
  const { store, keys, random, clock, logins, log, publicUrl, rateLimits } = deps;
  const issuer = createIssuer(config);
  const steps: OidcStepDeps = {
    ...deps,
    config,
    issuer,
    begun: createBegunSignIns({ records: store.records, keys, random }),
    browserCookie: createBrowserCookie(publicUrl),
  };
  const path = `/login/oidc/${config.name}`;
  return {
    method: createOidcMethod({
      config,
      issuer,
      leases: store.leases,
      publicUrl,
      clock,
      log,
      revoke: (login) => logins.endByRef(login.ref, 'provider'),
    }),
    offer: { kind: 'oidc', title: config.title ?? config.issuer.host, url: `/api/v1${path}` },
    mount(router) {
      router.get(path, beginOidc(steps));
      router.get(`${path}/callback`, finishOidc(steps));
      router.post(
        `${path}/logout`,
        readLogoutForm(),
        backChannelLogout({ config, issuer, logins, records: store.records, rateLimits, log }),
      );
    },
  };
}

/** GET /api/v1/login: the ways to sign in here. */
export function listOffers(offers: readonly Offer[]): Step {
  return async (ctx) => {
    ctx.state.route = 'login';
    ctx.body = { methods: offers };
  };
}
