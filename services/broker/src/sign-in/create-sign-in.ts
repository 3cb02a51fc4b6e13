import type { Audit } from '@porthole/shared/audit/audit';
import type { Config } from '@porthole/shared/config/schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders, type TerminationOrders } from '@porthole/shared/session/termination-orders';
import type { RateLimits, Store } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import { createLtiLoginResolvers } from '../lti/login-resolver.ts';
import { connectTokenReview } from '../kubernetes/client.ts';
import type { BrokerMetrics } from '../metrics.ts';
import { createConcurrencyLimiter } from './concurrency-limiter.ts';
import { createEmbedTokens, type EmbedTokens } from './embed-tokens.ts';
import { createHeaderAuthenticator } from './header-authenticator.ts';
import { createCheckPassword } from './local/check-password.ts';
import { createLocalUsers } from './local/local-users.ts';
import { createLocalLoginResolver } from './local/login-resolver.ts';
import type { LocalSignInDeps } from './local/sign-in-with-password.ts';
import { createCookieAuthenticator } from './logins/cookie-authenticator.ts';
import { createLoginCookie } from './logins/login-cookie.ts';
import { createLoginIndex } from './logins/login-index.ts';
import { createLoginSessions } from './logins/login-sessions.ts';
import { createLogins, type Logins } from './logins/logins.ts';
import type { SignOutDeps } from './logins/sign-out.ts';
import { createOidcSignInMethod } from './oidc/sign-in-method.ts';
import { createJwtVerifier } from './programs/jwt-verifier.ts';
import { createServiceAccountVerifier } from './programs/service-account-verifier.ts';
import { createTokenAuthenticator, type TokenVerifier } from './programs/token-authenticator.ts';
import { createProxmoxSignInMethod } from './proxmox/sign-in-method.ts';
import { createRequireLogin, type RequireLogin } from './require-login.ts';
import type { SignInAttemptDeps } from './sign-in-attempt.ts';
import type { SignInMethod, SignInMethodInfo } from './sign-in-methods.ts';

/**
 * Each password check takes 32 MiB and one of libuv's four threads, which DNS and file reads share. The last of 60
 * queued checks waits about two seconds, or several times that on a slow host.
 */
const passwordCheckLimits = { maxRunning: 2, maxQueued: 60 };

/** What the routes of sign-in and sign-out need. */
export interface SignInRouteDeps {
  readonly signIn: LocalSignInDeps;
  readonly signOut: SignOutDeps;
  readonly logins: Logins;
  readonly signInMethodInfos: readonly SignInMethodInfo[];
  readonly signInMethods: readonly Pick<SignInMethod, 'mount'>[];
  readonly redeemEmbedCode: { readonly embedTokens: EmbedTokens; readonly rateLimits: RateLimits };
}

export interface SignIn {
  readonly requireLogin: RequireLogin;
  readonly embedTokens: EmbedTokens;
  readonly terminationOrders: TerminationOrders;
  readonly routes: SignInRouteDeps;
  /** Paths that identity providers call, not browsers. */
  readonly serverToServerPaths: RegExp;
}

interface CreateSignInDeps {
  readonly config: Config;
  readonly store: Store;
  /** By cluster name. */
  readonly clients: ReadonlyMap<string, Pick<ProxmoxClient, 'get' | 'requestTicket'>>;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly audit: Audit;
  readonly metrics: BrokerMetrics;
}

/** Creates the configured sign-in methods and what they share. */
export function createSignIn(deps: CreateSignInDeps): SignIn {
  const { config, store, keys, clock, random, log, audit, metrics } = deps;
  const { records, rateLimits } = store;
  const { publicUrl, limits } = config;
  const { idleSeconds, maxSeconds } = config.signIn.session;
  const [idleMs, lifeMs] = [idleSeconds * 1000, maxSeconds * 1000];

  const cookie = createLoginCookie(publicUrl);
  const sessions = createLoginSessions({ records, keys, random, clock, idleMs, lifeMs });
  const signals = createConsoleSignals({ bus: store.signals, keys, random, clock });
  const terminationOrders = createTerminationOrders({ records, signals, keys, random, clock });
  const logins = createLogins({
    sessions,
    index: createLoginIndex({ store, keys, random, lifeMs }),
    cookie,
    terminationOrders,
    clock,
    audit,
    log,
  });
  const embedTokens = createEmbedTokens({ records, keys, random, clock });

  const local = createLocal(deps);
  const attemptDeps = { logins, rateLimits, limits, metrics, audit, log };
  const signInMethods = createSignInMethods(deps, attemptDeps);
  const resolvers = [
    ...(local ? [createLocalLoginResolver(local.users)] : []),
    ...signInMethods.map(({ resolver }) => resolver),
    ...createLtiLoginResolvers(config.lti),
  ];
  const { header } = config.signIn;

  return {
    requireLogin: createRequireLogin(
      [
        createTokenAuthenticator({ verifiers: createTokenVerifiers(config, clock), rateLimits }),
        ...(header ? [createHeaderAuthenticator({ config: header, log })] : []),
        createCookieAuthenticator({ cookie, sessions, resolvers }),
      ],
      rateLimits,
    ),
    embedTokens,
    terminationOrders,
    routes: {
      signIn: { ...attemptDeps, local },
      signOut: { cookie, sessions, resolvers, logins, proxySignOutUrl: header?.signOutUrl, clock },
      logins,
      signInMethodInfos: [
        ...signInMethods.map(({ info }) => info),
        ...(local ? [{ kind: 'local' } as const] : []),
      ],
      signInMethods,
      redeemEmbedCode: { embedTokens, rateLimits },
    },
    serverToServerPaths: /^\/api\/v1\/login\/oidc\/[a-z0-9-]+\/logout$/,
  };
}

function createLocal({ config, log, random, metrics }: CreateSignInDeps): LocalSignInDeps['local'] {
  if (!config.signIn.local) return undefined;
  const users = createLocalUsers({ file: config.signIn.local.usersFile, log });
  const limiter = createConcurrencyLimiter(passwordCheckLimits);
  metrics.observeSignInsQueued(limiter.queued);
  return { users, checkPassword: createCheckPassword({ users, limiter, random }) };
}

function createSignInMethods(
  { config, store, clients, keys, clock, random }: CreateSignInDeps,
  attemptDeps: SignInAttemptDeps,
): SignInMethod[] {
  const shared = { ...attemptDeps, store, keys, random, clock, publicUrl: config.publicUrl };
  return [
    ...config.signIn.oidc.map((provider) => createOidcSignInMethod(provider, shared)),
    ...config.signIn.proxmox.flatMap((cluster) => {
      const client = clients.get(cluster.cluster);
      return client ? [createProxmoxSignInMethod(cluster, { ...shared, client })] : [];
    }),
  ];
}

function createTokenVerifiers({ signIn }: Config, clock: Clock): TokenVerifier[] {
  const { programs, serviceAccounts } = signIn;
  const verifiers = programs.map(createJwtVerifier);
  if (!serviceAccounts) return verifiers;
  // The Kubernetes client is large, so it is loaded with the first token.
  let connecting: ReturnType<typeof connectTokenReview> | undefined;
  const connect = () => {
    connecting ??= connectTokenReview().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };
  return [
    ...verifiers,
    createServiceAccountVerifier({
      config: serviceAccounts,
      clock,
      review: async (token, audience) => (await connect())(token, audience),
    }),
  ];
}
