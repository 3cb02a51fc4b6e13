import { basePathOf } from '@porthole/shared/http/base-path';
import type { Config } from '@porthole/shared/config/schema';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import type { SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { SignInMethod } from '../sign-in-methods.ts';
import { handleCallback, startAuthorization, type AuthorizationDeps } from './authorization-code-flow.ts';
import { backChannelLogout, readLogoutForm } from './back-channel-logout.ts';
import { createBrowserBindingCookie } from './browser-binding-cookie.ts';
import { createIssuer } from './issuer.ts';
import { createOidcLoginResolver } from './login-resolver.ts';
import { createPendingAuthorizations } from './pending-authorizations.ts';

/** Creates the sign-in by one OpenID Connect provider. */
export function createOidcSignInMethod(
  config: OidcConfig,
  deps: SignInAttemptDeps & {
    readonly publicUrl: Config['publicUrl'];
    readonly store: Pick<Store, 'records' | 'leases'>;
    readonly keys: SealKeys;
    readonly random: RandomBytes;
    readonly clock: Clock;
  },
): SignInMethod {
  const { logins, publicUrl } = deps;
  const { records, leases } = deps.store;
  const issuer = createIssuer(config);
  const authorization: AuthorizationDeps = {
    ...deps,
    config,
    issuer,
    pending: createPendingAuthorizations({ ...deps, records }),
    bindingCookie: createBrowserBindingCookie(publicUrl),
  };
  const path = `/login/oidc/${config.name}`;
  return {
    resolver: createOidcLoginResolver({
      ...deps,
      config,
      issuer,
      leases,
      revoke: (login) => logins.endByRef(login.ref, 'provider'),
    }),
    info: {
      kind: 'oidc',
      title: config.title ?? config.issuer.host,
      url: `${basePathOf(publicUrl)}/api/v1${path}`,
    },
    mount(router) {
      router.get(path, startAuthorization(authorization));
      router.get(`${path}/callback`, handleCallback(authorization));
      router.post(
        `${path}/logout`,
        readLogoutForm(),
        backChannelLogout({ ...deps, config, issuer, records }),
      );
    },
  };
}
