import { grantKeysOf } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';
import { startIssuer, type TestIssuer } from '../../../fakes/oidc/issuer.ts';
import { createWalker, type Walker } from '../../../fakes/oidc/walk.ts';
import { freePort } from '../../../free-port.ts';
import { closeBrokers, grantKey, startBroker, type Rig, type RigOptions } from '../../rig.ts';

export const anna = {
  sub: 'anna-1',
  claims: {
    preferred_username: 'anna',
    name: 'Anna Berg',
    email: 'anna@school.example',
    groups: ['class-a'],
  },
};

/** A broker with a provider that knows anna and ben, and a browser. */
export interface School {
  readonly issuer: TestIssuer;
  readonly rig: Rig;
  readonly origin: string;
  readonly clock: FakeClock;
  /** The browser. */
  readonly walker: Walker;
  /** The URL that starts a sign-in. */
  begin(search?: string): string;
  signIn(sub?: string, search?: string): ReturnType<Walker['walk']>;
  // Tests read fields that they expect.
  // oxlint-disable-next-line typescript/no-explicit-any
  me(who?: Walker): Promise<any>;
  post(path: string, body?: object): Promise<Response>;
  /** Sends a logout token as the provider does. */
  logout(token: string): Promise<Response>;
  logoutClaims(extra?: object): Record<string, unknown>;
  /** The orders to end consoles, from now on. */
  ends(): readonly ConsoleSignal[];
}

let running: TestIssuer | undefined;

/** To be called in `afterEach` of every file that starts a school. */
export async function closeSchool(): Promise<void> {
  await closeBrokers();
  await running?.stop();
  running = undefined;
}

export async function start(
  options: { issuer?: object; oidc?: object; rig?: RigOptions } = {},
): Promise<School> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const issuer = await startIssuer({
    accounts: [anna, { sub: 'ben-2', claims: { preferred_username: 'ben' } }],
    redirectUris: [`${origin}/api/v1/login/oidc/school/callback`],
    postLogoutRedirectUris: [`${origin}/?why=signed-out`],
    backChannelLogoutUri: `${origin}/api/v1/login/oidc/school/logout`,
    ...options.issuer,
  });
  running = issuer;
  const clock = createFakeClock(Date.now());
  const rig = await startBroker({
    clock,
    ...options.rig,
    config: {
      publicUrl: origin,
      listen: `127.0.0.1:${port}`,
      signIn: {
        oidc: [
          {
            name: 'school',
            title: 'School',
            issuer: issuer.url,
            clientId: issuer.clientId,
            clientSecret: constantSecret(issuer.clientSecret),
            scopes: ['openid', 'profile', 'email', 'groups'],
            ...options.oidc,
          },
        ],
      },
      ...options.rig?.config,
    },
  });
  const walker = createWalker(issuer.url);
  const begin = (search = '') => `${origin}/api/v1/login/oidc/school${search}`;

  return {
    issuer,
    rig,
    origin,
    clock,
    walker,
    begin,
    signIn: (sub = 'anna-1', search = '') => walker.walk(begin(search), { sub }),
    me: async (who = walker) => (await who.fetch(`${origin}/api/v1/me`)).json(),
    post: (path, body) =>
      walker.fetch(`${origin}${path}`, {
        method: 'POST',
        headers: {
          'sec-fetch-site': 'same-origin',
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
    logout: (token) =>
      fetch(`${origin}/api/v1/login/oidc/school/logout`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString(),
      }),
    logoutClaims: (extra = {}) => ({
      iss: issuer.url,
      aud: issuer.clientId,
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 100,
      jti: Math.random().toString(36),
      sub: 'anna-1',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      ...extra,
    }),
    ends() {
      const heard: ConsoleSignal[] = [];
      const keys = grantKeysOf(constantSecret(grantKey));
      createConsoleSignals({
        bus: rig.store.signals,
        keys,
        random: systemRandom,
        clock: rig.clock,
      }).subscribe((signal) => heard.push(signal));
      return heard;
    },
  };
}
