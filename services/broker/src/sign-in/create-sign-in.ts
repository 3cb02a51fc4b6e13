import type { Audit } from '@porthole/shared/audit/audit';
import type { Clock } from '@porthole/shared/time/clock';
import type { Config } from '@porthole/shared/config/schema';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders, type TerminationOrders } from '@porthole/shared/session/termination-orders';
import type { Log } from '@porthole/shared/telemetry/log';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import { connectTokenReview } from '../kubernetes/client.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { RouteDeps } from '../routes.ts';
import { createBoundedWork } from './bounded-work.ts';
import { createCheckPassword } from './check-password.ts';
import { createHeaderIdentity } from './header.ts';
import { createRequireLogin, type RequireLogin } from './identify.ts';
import { createLocalMethod } from './local-method.ts';
import { createLocalUsers } from './local-users.ts';
import { createLoginCookie } from './login-cookie.ts';
import { createLoginIndex } from './login-index.ts';
import { createLoginSessions } from './login-sessions.ts';
import { createLogins, type Logins } from './logins.ts';
import { createPasses, type Passes } from './passes.ts';
import { createProgramIdentity } from './programs/identify-program.ts';
import { createIssuerTokens } from './programs/issuer-tokens.ts';
import { createServiceAccountTokens } from './programs/service-account-tokens.ts';
import { createProxmoxWay } from './proxmox/way.ts';
import { createOidcWay, type Offer } from './ways.ts';

/**
 * Passwords checked at the same time cost 32 MiB each and one of libuv's four threads, which DNS and files need,
 * too. Sixty in line wait some two seconds for the last, and few enough on a slow host that nobody gives up before.
 */
const passwordChecks = { atOnce: 2, inLine: 60 };

export interface SignIn {
  readonly requireLogin: RequireLogin;
  readonly passes: Passes;
  readonly logins: Logins;
  readonly ends: TerminationOrders;
  readonly routes: Pick<RouteDeps, 'signIn' | 'signOut' | 'logins' | 'offers' | 'ways' | 'handover'>;
  /** Paths where an issuer calls, and no browser. */
  readonly calledByServers: RegExp;
}

/** All the ways to sign in that the configuration names, and what they share. */
export function createSignIn(deps: {
  readonly config: Config;
  readonly store: Store;
  /** By the name of their cluster. */
  readonly clients: ReadonlyMap<string, Pick<ProxmoxClient, 'get' | 'requestTicket'>>;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly audit: Audit;
  readonly metrics: BrokerMetrics;
}): SignIn {
  const { config, store, keys, clock, random, log, audit, metrics } = deps;
  const { records, rateLimits } = store;
  const { publicUrl, limits } = config;
  const { idleSeconds, maxSeconds } = config.signIn.session;
  const [idleMs, lifeMs] = [idleSeconds * 1000, maxSeconds * 1000];

  const cookie = createLoginCookie(publicUrl);
  const sessions = createLoginSessions({ records, keys, random, clock, idleMs, lifeMs });
  const signals = createConsoleSignals({ bus: store.signals, keys, random, clock });
  const ends = createTerminationOrders({ records, signals, keys, random, clock });
  const logins = createLogins({
    sessions,
    index: createLoginIndex({ store, keys, random, lifeMs }),
    cookie,
    ends,
    clock,
    audit,
    log,
  });
  const passes = createPasses({ records, keys, random, clock });

  const local = localUsers(deps);
  const shared = { logins, rateLimits, limits, metrics, audit, log };
  const oidc = config.signIn.oidc.map((one) =>
    createOidcWay(one, { ...shared, publicUrl, store, keys, random, clock }),
  );
  const proxmox = config.signIn.proxmox.flatMap((one) => {
    const client = deps.clients.get(one.cluster);
    return client ? [createProxmoxWay(one, { ...shared, client, store, keys, random, clock })] : [];
  });
  const ways = [...oidc, ...proxmox];
  const methods = [...(local ? [createLocalMethod(local.users)] : []), ...ways.map(({ method }) => method)];
  const offers: Offer[] = [...ways.map(({ offer }) => offer), ...(local ? [{ kind: 'local' } as const] : [])];
  const { header } = config.signIn;

  return {
    requireLogin: createRequireLogin({
      cookie,
      sessions,
      methods,
      header: header && createHeaderIdentity({ config: header, log }),
      program: createProgramIdentity({ checks: tokenChecks(config, clock), rateLimits }),
    }),
    passes,
    ends,
    logins,
    routes: {
      signIn: { ...shared, local },
      signOut: { cookie, sessions, methods, logins, proxySignOutUrl: header?.signOutUrl },
      logins,
      offers,
      ways,
      handover: { passes, rateLimits },
    },
    calledByServers: /^\/api\/v1\/login\/oidc\/[a-z0-9-]+\/logout$/,
  };
}

function localUsers({ config, log, random, metrics }: Parameters<typeof createSignIn>[0]) {
  if (!config.signIn.local) return undefined;
  const users = createLocalUsers({ file: config.signIn.local.usersFile, log });
  const work = createBoundedWork(passwordChecks);
  metrics.observeSignInsWaiting(work.waiting);
  return { users, checkPassword: createCheckPassword({ users, work, random }) };
}

function tokenChecks(config: Config, clock: Clock) {
  const { programs, serviceAccounts } = config.signIn;
  const checks = programs.map(createIssuerTokens);
  if (!serviceAccounts) return checks;
  // Loaded with the first token: only who uses it pays for it.
  let review: ReturnType<typeof connectTokenReview> | undefined;
  const connect = () => {
    review ??= connectTokenReview().catch((error: unknown) => {
      review = undefined;
      throw error;
    });
    return review;
  };
  return [
    ...checks,
    createServiceAccountTokens({
      config: serviceAccounts,
      clock,
      review: async (token, audience) => (await connect())(token, audience),
    }),
  ];
}
