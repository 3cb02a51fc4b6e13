import { PortholeError } from '@porthole/shared/errors';
import type { Store } from '@porthole/shared/store/ports';
import { type StoreContract } from './contract.ts';

/** Points that all clients share. */
export function describeRateLimits({ clients, aName, advanceUntil }: StoreContract): void {
  let store: Store;
  let other: Store;
  beforeAll(() => {
    ({ store, other } = clients());
  });

  describe('rate limits', () => {
    test('all clients share the points, and the rejection has a retryAfter', async () => {
      const key = aName();
      await store.rateLimits.spend(key, 3, 600);
      await other.rateLimits.spend(key, 3, 600);
      await store.rateLimits.spend(key, 3, 600);
      for (const client of [store, other]) {
        const refused: unknown = await client.rateLimits.spend(key, 3, 600).catch((error: unknown) => error);
        if (!(refused instanceof PortholeError)) throw new Error('It was not refused.');
        expect(refused.code).toBe('rate_limited');
        expect(refused.retryAfter).toBeGreaterThan(0);
        expect(refused.retryAfter).toBeLessThanOrEqual(600);
      }
    });

    test('a refunded point can be spent again', async () => {
      const key = aName();
      await store.rateLimits.spend(key, 1, 600);
      await other.rateLimits.refund(key, 1, 600);
      await store.rateLimits.check(key, 1, 600);
      await other.rateLimits.spend(key, 1, 600);
      await expect(store.rateLimits.spend(key, 1, 600)).rejects.toMatchObject({ code: 'rate_limited' });
    });

    test('keys count separately', async () => {
      await store.rateLimits.spend(aName(), 1, 600);
      await store.rateLimits.spend(aName(), 1, 600);
    });

    test('budgets of different periods count separately', async () => {
      const key = aName();
      await store.rateLimits.spend(key, 1, 600);
      await store.rateLimits.spend(key, 1, 601);
      await expect(store.rateLimits.spend(key, 1, 600)).rejects.toMatchObject({ code: 'rate_limited' });
    });

    test('points come back after the period', async () => {
      const key = aName();
      await store.rateLimits.spend(key, 1, 1);
      const spend = () =>
        store.rateLimits.spend(key, 1, 1).then(
          () => 'spent',
          () => 'refused',
        );
      await advanceUntil(spend, 'spent');
    });
  });
}
