import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { Provider, type Configuration, type GrantContext } from 'oidc-provider';

/** A user of the provider. */
export interface Account {
  readonly sub: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface TestIssuer {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The current users. Tests change groups and remove users. */
  readonly accounts: Map<string, Account>;
  /** The refresh token of every refresh request, in order, accepted or not. */
  readonly refreshes: readonly string[];
  /** Number of requests for the path. */
  requests(path: string): number;
  /** Requests for the path wait until the returned function is called. */
  hold(path: string): () => void;
  /** Requests for the path fail with 500 until the returned function is called. */
  fail(path: string): () => void;
  /** Signs a token with any claims with the issuer's key. */
  sign(payload: JWTPayload, header?: { readonly alg?: string; readonly typ?: string }): Promise<string>;
  stop(): Promise<void>;
}

export interface IssuerOptions {
  readonly accounts: readonly Account[];
  /** The only addresses to which users are redirected afterwards. */
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  readonly backChannelLogoutUri?: string;
  readonly claimsInUserinfoOnly?: boolean;
  /** Each refresh replaces the refresh token, and a second use of one revokes all tokens of the sign-in. */
  readonly rotateRefreshTokens?: boolean;
}

/** Generated once per test file, because that is slow. */
let key: ReturnType<typeof generateKeyPair> | undefined;

/**
 * A real OpenID provider (oidc-provider) on a loopback port, with the package's sign-in page for development, which
 * accepts any password of an existing account.
 */
export async function startIssuer(options: IssuerOptions): Promise<TestIssuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  key ??= generateKeyPair('RS256', { extractable: true });
  const { privateKey } = await key;
  const jwk = { ...(await exportJWK(privateKey)), kid: 'k1', use: 'sig', alg: 'RS256' };
  const accounts = new Map(options.accounts.map((account) => [account.sub, account]));
  const [clientId, clientSecret] = ['porthole', 'a client secret of some forty characters'];
  const configuration: Configuration = {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [...options.redirectUris],
        post_logout_redirect_uris: [...(options.postLogoutRedirectUris ?? [])],
        ...(options.backChannelLogoutUri
          ? {
              backchannel_logout_uri: options.backChannelLogoutUri,
              backchannel_logout_session_required: true,
            }
          : {}),
      },
    ],
    jwks: { keys: [jwk] },
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'name'],
      email: ['email'],
      groups: ['groups'],
    },
    scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx: { body: string }, form: string) => {
          ctx.body = `<!doctype html><title>Sign out</title>${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`;
        },
      },
    },
    cookies: { keys: ['a key for the cookies of the issuer'] },
    ttl: { Interaction: 600, Session: 3600, Grant: 3600, AccessToken: 600, RefreshToken: 3600, IdToken: 600 },
    pkce: { required: () => true },
    // Whether the ID token contains the claims, or only userinfo.
    conformIdTokenClaims: options.claimsInUserinfoOnly ?? false,
    issueRefreshToken: async () => true,
    rotateRefreshToken: options.rotateRefreshTokens ?? false,
    // The default `fetch` of the package refuses loopback addresses.
    fetch: (input, { dispatcher: _dispatcher, ...init }) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(5000) }),
    async findAccount(_ctx, id) {
      const account = accounts.get(id);
      return account && { accountId: id, claims: async () => ({ sub: id, ...account.claims }) };
    },
  };
  const provider = quietly(() => new Provider(url, configuration));
  provider.on('server_error', (_ctx, error) => process.stderr.write(`issuer: ${String(error)}\n`));
  provider.on('backchannel.error', (_ctx, error) => process.stderr.write(`issuer: ${String(error)}\n`));
  const refreshes: string[] = [];
  const countRefresh = (ctx: GrantContext) => {
    const token = ctx.oidc?.params?.['refresh_token'];
    if (typeof token === 'string') refreshes.push(token);
  };
  provider.on('grant.success', countRefresh);
  provider.on('grant.error', countRefresh);
  const handle = provider.callback();
  const held = new Map<string, Promise<void>>();
  const failing = new Set<string>();
  const requests = new Map<string, number>();
  server.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', url);
    requests.set(pathname, (requests.get(pathname) ?? 0) + 1);
    if (failing.has(pathname)) response.writeHead(500).end();
    else void (held.get(pathname) ?? Promise.resolve()).then(() => handle(request, response));
  });

  return {
    url,
    clientId,
    clientSecret,
    accounts,
    refreshes,
    requests: (path) => requests.get(path) ?? 0,
    hold(path) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(path, promise);
      return () => {
        held.delete(path);
        resolve();
      };
    },
    fail(path) {
      failing.add(path);
      return () => void failing.delete(path);
    },
    sign: (payload, { alg = 'RS256', typ = 'JWT' } = {}) =>
      new SignJWT(payload).setProtectedHeader({ alg, typ, kid: 'k1' }).sign(privateKey),
    stop: () => closeServer(server),
  };
}

/** oidc-provider warns about features for development, which are intended here. */
function quietly<T>(work: () => T): T {
  const { warn } = console;
  console.warn = () => {};
  try {
    return work();
  } finally {
    console.warn = warn;
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
