import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { Clock } from '@porthole/shared/time/clock';
import { eventually } from '../../../eventually.ts';
import { startRedisServer, type RedisServer } from '../../../fakes/redis-server.ts';
import { redisStores } from '../../../shared/store/store-harness.ts';
import { closeBrokers } from '../../rig.ts';
import { anna, startOidcRig, type OidcRig } from './shared-provider.ts';

/** Longer than `refreshSeconds`. */
const dueMs = 301_000;
/** Longer than the lease of a refresh. */
const leaseMs = 31_000;

describe('a refresh at a provider that rotates refresh tokens and revokes the sign-in on reuse', () => {
  const stores = redisStores();
  let redis: RedisServer | undefined;
  let rig: OidcRig;
  const twoOnOneStore = (clock: Clock) => {
    const store = createMemoryStore({ clock });
    return [store, store];
  };
  const names = async (...brokers: number[]) =>
    (await Promise.all(brokers.map((broker) => rig.me(broker)))).map(({ name, code }) => name ?? code);

  afterEach(async () => {
    await closeBrokers();
    await rig.issuer.stop();
    await redis?.stop();
    redis = undefined;
  });

  test('uses each refresh token once, however many requests and brokers see that a refresh is due', async () => {
    redis = await startRedisServer();
    const open = () => stores.open({ mode: 'standalone', url: redis?.url ?? '' });
    rig = await startOidcRig(async () => [await open(), await open()]);
    // Redis has no clock that a test could advance, so all rounds are within a user's limit per minute.
    const rounds = 140;
    for (let round = 1; round <= rounds; round += 1) {
      rig.clock.advance(dueMs);
      expect(await names(0, 1, 0, 1)).toEqual(['anna', 'anna', 'anna', 'anna']);
      expect(rig.issuer.refreshes).toHaveLength(round);
    }
    expect(new Set(rig.issuer.refreshes).size).toBe(rounds);
  });

  test('does not block other requests, which continue with the known data', async () => {
    rig = await startOidcRig(twoOnOneStore);
    rig.issuer.accounts.set('anna-1', anna('class-b'));
    rig.clock.advance(dueMs);
    const release = rig.issuer.hold('/token');
    const first = rig.me(0);
    await eventually('the refresh has started', () => rig.issuer.requests('/token') === 2);
    expect((await rig.me(0)).groups).toEqual(['class-a']);
    expect((await rig.me(1)).groups).toEqual(['class-a']);
    release();
    expect((await first).groups).toEqual(['class-b']);
    expect((await rig.me(1)).groups).toEqual(['class-b']);
    expect(rig.issuer.refreshes).toHaveLength(1);
  });

  test('keeps the new token if userinfo fails afterwards, and uses it for the next refresh', async () => {
    rig = await startOidcRig(twoOnOneStore, { claimsInUserinfoOnly: true });
    const repair = rig.issuer.fail('/me');
    rig.issuer.accounts.set('anna-1', anna('class-b'));
    rig.clock.advance(dueMs);
    expect((await rig.me(0)).groups).toEqual(['class-a']);
    expect((await rig.me(1)).groups).toEqual(['class-a']);
    expect(rig.issuer.refreshes).toHaveLength(1);
    repair();
    rig.clock.advance(leaseMs);
    expect((await rig.me(1)).groups).toEqual(['class-b']);
    expect(new Set(rig.issuer.refreshes).size).toBe(2);
  });

  test('does not restore a sign-in that the user ends meanwhile', async () => {
    rig = await startOidcRig(twoOnOneStore);
    rig.clock.advance(dueMs);
    const release = rig.issuer.hold('/token');
    const refreshing = rig.me(0);
    await eventually('the refresh has started', () => rig.issuer.requests('/token') === 2);
    expect((await rig.signOut(1)).status).toBe(200);
    release();
    expect((await refreshing).code).toBe('not_signed_in');
    expect(await names(0, 1)).toEqual(['not_signed_in', 'not_signed_in']);
  });

  test('ends the sign-in, once, if the broker crashes before it stores the new token', async () => {
    const written = Promise.withResolvers<boolean>();
    const crash = Promise.withResolvers<void>();
    rig = await startOidcRig((clock) => {
      const store = createMemoryStore({ clock });
      const replace = () => (crash.resolve(), written.promise);
      return [{ ...store, records: { ...store.records, replace } }, store];
    });
    rig.clock.advance(dueMs);
    const lost = rig.me(0);
    await crash.promise;
    // Until the lease runs out, others continue with the known data.
    expect(await names(1)).toEqual(['anna']);
    rig.clock.advance(leaseMs);
    expect(await names(1, 1)).toContain('not_signed_in');
    expect(await names(1)).toEqual(['not_signed_in']);
    expect(rig.issuer.refreshes).toHaveLength(2);
    expect(rig.rigs[1]?.audited.filter(({ event }) => event === 'sign_out')).toMatchObject([
      { user: { name: 'anna' }, reason: 'provider' },
    ]);
    // Only so that the test ends.
    written.resolve(false);
    await lost;
  });
});
