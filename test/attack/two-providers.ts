import { constantSecret } from '@porthole/shared/config/secret';
import { closeBrokers, startBroker, type Rig } from '../broker/rig.ts';
import { startIssuer, type TestIssuer } from '../fakes/oidc/issuer.ts';
import type { Walker } from '../fakes/oidc/walk.ts';
import { freePort } from '../free-port.ts';
import { startHostileIssuer, type HostileIssuer } from './hostile-issuer.ts';

/** A broker with two providers: a real one, and one that the attacker operates. */
export interface TwoProviders {
  readonly origin: string;
  readonly rig: Rig;
  readonly school: TestIssuer;
  readonly evil: HostileIssuer;
  readonly evilSecret: string;
  /** What the broker knows about the user of a browser. */
  // Tests read fields that they expect.
  // oxlint-disable-next-line typescript/no-explicit-any
  me(browser: Walker): Promise<any>;
  stop(): Promise<void>;
}

export async function startTwoProviders(): Promise<TwoProviders> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const evilSecret = 'the client secret at the hostile provider';
  const school = await startIssuer({
    accounts: ['anna', 'ben'].map((name) => ({ sub: `${name}-1`, claims: { preferred_username: name } })),
    redirectUris: [`${origin}/api/v1/login/oidc/school/callback`],
    backChannelLogoutUri: `${origin}/api/v1/login/oidc/school/logout`,
  });
  const evil = await startHostileIssuer();
  const provider = (name: string, issuer: string, clientId: string, secret: string) => ({
    name,
    issuer,
    clientId,
    clientSecret: constantSecret(secret),
    scopes: ['openid', 'profile'],
  });
  const oidc = [
    provider('school', school.url, school.clientId, school.clientSecret),
    provider('evil', evil.url, 'porthole', evilSecret),
  ];
  const rig = await startBroker({
    config: { publicUrl: origin, listen: `127.0.0.1:${port}`, signIn: { oidc } },
  });
  return {
    origin,
    rig,
    school,
    evil,
    evilSecret,
    me: async (browser) => (await browser.fetch(`${origin}/api/v1/me`)).json(),
    async stop() {
      await closeBrokers();
      await school.stop();
      await evil.stop();
    },
  };
}

/** Seconds since the epoch, as in tokens. */
export const seconds = () => Math.floor(Date.now() / 1000);
