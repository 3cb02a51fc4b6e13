import { createLoginRefresher, type RefreshLogin } from '@porthole/broker/sign-in/logins/login-refresher';
import type { Login } from '@porthole/broker/sign-in/logins/login-sessions';
import { systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { LeaseStore } from '@porthole/shared/store/ports';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';
import { recordedLog } from '../../../shared/store/store-harness.ts';

interface Data {
  readonly token: number;
  readonly refreshedAt: number;
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a refresh of a sign-in', () => {
  let clock: FakeClock;
  let leases: LeaseStore;
  /** What the store holds; undefined after a sign-out. */
  let stored: Data | undefined;
  let revoked: string[];
  let calls: string[];
  const { log, linesWith } = recordedLog();

  beforeEach(() => {
    clock = createFakeClock();
    ({ leases } = createMemoryStore({ clock }));
    stored = { token: 1, refreshedAt: 0 };
    revoked = [];
    calls = [];
  });

  const aLogin = (replaceData?: Login['replaceData']): Login => ({
    ref: 'login-1',
    method: 'test',
    since: 0,
    data: stored,
    replaceData:
      replaceData ??
      (async (next) => {
        calls.push('replace');
        if (stored === undefined) return false;
        stored = next as Data;
        return true;
      }),
    reload: async () => (stored === undefined ? undefined : aLogin(replaceData)),
  });

  function aRefresher(refresh: (data: Data) => Promise<Data>): RefreshLogin<Data> {
    return createLoginRefresher<Data>({
      method: 'test',
      leases: {
        tryAcquire: leases.tryAcquire,
        release: (name, holder) => (calls.push('release'), leases.release(name, holder)),
      },
      random: systemRandom,
      clock,
      log,
      parse: (data) => data as Data | undefined,
      isDue: ({ refreshedAt }) => clock.now() - refreshedAt >= 60_000,
      refresh,
      revoke: async ({ ref }) => void revoked.push(ref),
    });
  }
  const next = async ({ token }: Data): Promise<Data> => ({ token: token + 1, refreshedAt: clock.now() });
  const known: Data = { token: 1, refreshedAt: 0 };

  test('stores its result before it releases its lease, once', async () => {
    expect(await aRefresher(next)(aLogin(), known)).toMatchObject({ token: 2 });
    expect(calls).toEqual(['replace', 'release']);
    expect(clock.pending()).toBe(0);
  });

  test('keeps its lease as long as it runs', async () => {
    const answer = Promise.withResolvers<Data>();
    const slow = aRefresher(() => answer.promise)(aLogin(), known);
    const other = aRefresher(() => Promise.reject(new Error('a second refresh')));
    for (let second = 0; second < 120; second += 5) {
      await settle();
      clock.advance(5000);
      await settle();
      expect(await other(aLogin(), known)).toBe(known);
    }
    answer.resolve({ token: 2, refreshedAt: clock.now() });
    expect(await slow).toMatchObject({ token: 2 });
    expect(clock.pending()).toBe(0);
  });

  test('uses what another broker stored, and sends no request', async () => {
    const login = aLogin();
    stored = { token: 7, refreshedAt: clock.now() };
    const refresh = aRefresher(() => Promise.reject(new Error('a second refresh')));
    expect(await refresh(login, known)).toMatchObject({ token: 7 });
    expect(calls).toEqual(['release']);
  });

  test('is retried after half a minute if it failed, and not before', async () => {
    let asked = 0;
    const refresh = aRefresher(() => {
      asked += 1;
      return Promise.reject(new PortholeError('sign_in_provider_unavailable'));
    });
    for (const expected of [1, 1, 2]) {
      expect(await refresh(aLogin(), known)).toEqual(known);
      expect(asked).toBe(expected);
      clock.advance(15_500);
    }
    expect(calls).toEqual([]);
    expect(revoked).toEqual([]);
  });

  test('ends the sign-in if the provider rejects it', async () => {
    const refresh = aRefresher(() => Promise.reject(new PortholeError('not_signed_in')));
    expect(await refresh(aLogin(), known)).toBeUndefined();
    expect(revoked).toEqual(['login-1']);
    expect(calls).toEqual(['release']);
  });

  test('writes again while the store fails, before another broker may refresh', async () => {
    let failures = 3;
    const login = aLogin(async (data) => {
      if (failures-- > 0) throw new PortholeError('store_unavailable');
      stored = data as Data;
      return true;
    });
    const refreshing = aRefresher(next)(login, known);
    for (let step = 0; step < 20; step += 1) {
      await settle();
      if (stored?.token === 1) expect(calls).toEqual([]);
      clock.advance(100);
    }
    expect(await refreshing).toMatchObject({ token: 2 });
    expect(stored).toMatchObject({ token: 2 });
    expect(calls).toEqual(['release']);
  });

  test('returns the stored data if the answer to its write was lost', async () => {
    let first = true;
    const login = aLogin(async (data) => {
      stored = data as Data;
      if (!first) return false;
      first = false;
      throw new PortholeError('store_unavailable');
    });
    const refreshing = aRefresher(next)(login, known);
    await settle();
    clock.advance(100);
    expect(await refreshing).toMatchObject({ token: 2 });
  });

  test("logs an error if it can't be stored at all, and leaves no timer", async () => {
    const refreshing = aRefresher(next)(
      aLogin(() => Promise.reject(new PortholeError('store_unavailable'))),
      known,
    );
    for (let step = 0; step < 20; step += 1) {
      await settle();
      clock.advance(1000);
    }
    expect(await refreshing).toMatchObject({ token: 2 });
    expect(linesWith('could not be stored')).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });
});
