import { constantSecret } from '@porthole/shared/config/secret';
import type { Store } from '@porthole/shared/store/ports';
import { systemClock, type Clock } from '@porthole/shared/time/clock';
import { startIssuer, type IssuerOptions, type TestIssuer } from '../../fakes/oidc/issuer.ts';
import { createWalker, type Walker } from '../../fakes/oidc/walk.ts';
import { freePort, startRedisServer, type RedisServer } from '../../fakes/redis-server.ts';
import { redisStores } from '../../shared/store-harness.ts';
import { closeBrokers, startBroker, type Rig } from '../rig.ts';

/** The system clock, which tests can set forward. */
function movableClock(): Clock & { advance(ms: number): void } {
  let offset = 0;
  return {
    now: () => systemClock.now() + offset,
    after: systemClock.after,
    advance: (ms) => void (offset += ms),
  };
}

describe('a refresh of a sign-in at a provider that rotates refresh tokens', () => {
  const stores = redisStores();
  let issuer: TestIssuer;
  let redis: RedisServer | undefined;
  let clock: ReturnType<typeof movableClock>;
  let walker: Walker;
  /** Base URLs of the brokers. A sign-in of one counts at all. */
  let origins: string[];
  let rigs: Rig[];

  /** Starts one broker for each store, all with the same sign-ins. */
  async function start(openStores: readonly Store[], options: Partial<IssuerOptions> = {}): Promise<void> {
    const ports = await Promise.all(openStores.map(() => freePort()));
    origins = ports.map((port) => `http://127.0.0.1:${port}`);
    const publicUrl = origins[0] ?? '';
    issuer = await startIssuer({
      accounts: [{ sub: 'anna-1', claims: { preferred_username: 'anna', groups: ['class-a'] } }],
      redirectUris: [`${publicUrl}/api/v1/login/oidc/school/callback`],
      rotateRefreshTokens: true,
      ...options,
    });
    rigs = [];
    for (const [index, store] of openStores.entries())
      rigs.push(
        await startBroker({
          clock,
          store,
          config: {
            publicUrl,
            listen: `127.0.0.1:${ports[index]}`,
            signIn: {
              oidc: [
                {
                  name: 'school',
                  issuer: issuer.url,
                  clientId: issuer.clientId,
                  clientSecret: constantSecret(issuer.clientSecret),
                  scopes: ['openid', 'profile', 'groups'],
                },
              ],
            },
          },
        }),
      );
    walker = createWalker(issuer.url);
    await walker.walk(`${publicUrl}/api/v1/login/oidc/school`, { sub: 'anna-1' });
  }

  async function me(origin = origins[0] ?? ''): Promise<{ name?: string; groups?: string[]; code?: string }> {
    const cookie = [...walker.cookies(origins[0] ?? '')].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(`${origin}/api/v1/me`, { headers: { cookie } });
    const body = (await response.json()) as { user?: { name: string; groups: string[] }; code?: string };
    return body.user ?? { code: body.code ?? '' };
  }

  beforeEach(() => {
    clock = movableClock();
  });
  afterEach(async () => {
    await closeBrokers();
    await issuer.stop();
    await redis?.stop();
    redis = undefined;
  });

  test('uses each refresh token once, however many requests and brokers see that it is due', async () => {
    redis = await startRedisServer();
    const open = () => stores.open({ mode: 'standalone', url: redis?.url ?? '' });
    await start([await open(), await open()]);
    for (let round = 1; round <= 200; round += 1) {
      clock.advance(301_000);
      const answers = await Promise.all([...origins, ...origins].map((origin) => me(origin)));
      expect(answers.map(({ name }) => name)).toEqual(['anna', 'anna', 'anna', 'anna']);
      expect(issuer.refreshes).toHaveLength(round);
    }
    expect(new Set(issuer.refreshes).size).toBe(200);
  });
});
