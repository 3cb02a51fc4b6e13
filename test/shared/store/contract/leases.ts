import { digest } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { long, short, type StoreContract } from './contract.ts';

/** Leases up to a limit, with a queue for the holders beyond it. */
export function describeLeases({ clients, aName, advanceUntil }: StoreContract): void {
  let store: Store;
  let other: Store;
  beforeAll(() => {
    ({ store, other } = clients());
  });

  describe('leases', () => {
    test('holders are listed in order, as digests, without released and expired ones', async () => {
      const name = aName();
      expect(await store.leases.list(name)).toEqual([]);
      await store.leases.join(name, 'dead', 1, short);
      for (const holder of ['b', 'a', 'gone', 'c']) await store.leases.join(name, holder, 1, long);
      await other.leases.release(name, 'gone');
      const expected = ['b', 'a', 'c'].map((holder) => digest(holder)).join();
      await advanceUntil(async () => (await other.leases.list(name)).join(), expected);
    });

    test('the first holders acquire it, and the others are queued in order', async () => {
      const name = aName();
      const positions: number[] = [];
      for (const [i, holder] of ['d', 'a', 'c', 'b', 'e'].entries()) {
        positions.push(await (i % 2 ? store : other).leases.join(name, holder, 2, long));
      }
      expect(positions).toEqual([0, 0, 1, 2, 3]);
      expect(await other.leases.count(name)).toBe(5);
    });

    test('a repeated join does not change the order', async () => {
      const name = aName();
      await store.leases.join(name, 'a', 1, long);
      await store.leases.join(name, 'b', 1, long);
      await store.leases.join(name, 'c', 1, long);
      expect(await store.leases.join(name, 'a', 1, long)).toBe(0);
      expect(await store.leases.join(name, 'c', 1, long)).toBe(2);
      expect(await store.leases.join(name, 'b', 1, long)).toBe(1);
      expect(await store.leases.count(name)).toBe(3);
    });

    test('the next in the queue moves up when a holder releases, on any client', async () => {
      const name = aName();
      await store.leases.join(name, 'a', 1, long);
      await other.leases.join(name, 'b', 1, long);
      await store.leases.join(name, 'c', 1, long);
      await store.leases.release(name, 'a');
      expect(await store.leases.join(name, 'c', 1, long)).toBe(1);
      expect(await other.leases.join(name, 'b', 1, long)).toBe(0);
    });

    test('a holder that comes back after a release is last in the queue', async () => {
      const name = aName();
      await store.leases.join(name, 'a', 1, long);
      await store.leases.join(name, 'b', 1, long);
      await store.leases.release(name, 'a');
      expect(await store.leases.join(name, 'a', 1, long)).toBe(1);
    });

    test('a waiting holder can leave the queue', async () => {
      const name = aName();
      await store.leases.join(name, 'a', 1, long);
      await store.leases.join(name, 'b', 1, long);
      await store.leases.join(name, 'c', 1, long);
      await store.leases.release(name, 'b');
      expect(await store.leases.join(name, 'c', 1, long)).toBe(1);
      expect(await store.leases.count(name)).toBe(2);
    });

    test('a release without a lease is harmless', async () => {
      const name = aName();
      await store.leases.release(name, 'a');
      await store.leases.join(name, 'b', 1, long);
      await store.leases.release(name, 'a');
      expect(await store.leases.count(name)).toBe(1);
    });

    test('a lease without holders can be acquired again', async () => {
      const name = aName();
      await store.leases.join(name, 'a', 1, long);
      await store.leases.release(name, 'a');
      expect(await store.leases.count(name)).toBe(0);
      expect(await other.leases.join(name, 'b', 1, long)).toBe(0);
    });

    test('an expired holder makes room for the next one, which only renewed', async () => {
      const name = aName();
      await store.leases.join(name, 'dead', 1, short);
      await other.leases.join(name, 'next', 1, long);
      await advanceUntil(() => other.leases.join(name, 'next', 1, long), 0);
      expect(await other.leases.count(name)).toBe(1);
    });

    test('an expired holder in the queue no longer counts', async () => {
      const name = aName();
      await store.leases.join(name, 'a', 1, long);
      await store.leases.join(name, 'dead', 1, short);
      await store.leases.join(name, 'c', 1, long);
      await advanceUntil(() => store.leases.join(name, 'c', 1, long), 1);
    });

    test('a holder that renews keeps the lease', async () => {
      const [name, witness] = [aName(), aName()];
      await store.leases.join(name, 'a', 1, short);
      expect(await store.leases.join(name, 'a', 1, long)).toBe(0);
      await store.leases.join(name, 'b', 1, long);
      await store.leases.join(witness, 'w', 1, short);
      await advanceUntil(() => store.leases.count(witness), 0);
      expect(await store.leases.join(name, 'b', 1, long)).toBe(1);
    });

    test('a holder that renews too late is last in the queue', async () => {
      const name = aName();
      await store.leases.join(name, 'late', 1, short);
      await store.leases.join(name, 'b', 1, long);
      await advanceUntil(() => store.leases.join(name, 'b', 1, long), 0);
      expect(await store.leases.join(name, 'late', 1, long)).toBe(1);
    });

    test('a lowered limit makes the newest holders wait', async () => {
      const name = aName();
      await store.leases.join(name, 'a', 2, long);
      await store.leases.join(name, 'b', 2, long);
      expect(await other.leases.join(name, 'b', 1, long)).toBe(1);
      expect(await other.leases.tryAcquire(name, 'b', 1, long)).toBe(false);
      expect(await other.leases.join(name, 'a', 1, long)).toBe(0);
    });

    test('leases of different names are independent', async () => {
      expect(await store.leases.join(aName(), 'a', 1, long)).toBe(0);
      expect(await store.leases.join(aName(), 'b', 1, long)).toBe(0);
    });

    test('of 50 concurrent holders, exactly the limit acquires it, and the rest form one queue', async () => {
      const name = aName();
      const joins = Array.from({ length: 50 }, (_, i) =>
        (i % 2 ? store : other).leases.join(name, `h${i}`, 3, long),
      );
      const positions = (await Promise.all(joins)).sort((a, b) => a - b);
      expect(positions).toEqual([0, 0, 0, ...Array.from({ length: 47 }, (_, i) => i + 1)]);
    });

    describe('without waiting', () => {
      test('a lease is acquired up to the limit, and rejected after that', async () => {
        const name = aName();
        expect(await store.leases.tryAcquire(name, 'a', 2, long)).toBe(true);
        expect(await other.leases.tryAcquire(name, 'b', 2, long)).toBe(true);
        expect(await store.leases.tryAcquire(name, 'c', 2, long)).toBe(false);
      });

      test('a rejected attempt does not join the queue', async () => {
        const name = aName();
        await store.leases.tryAcquire(name, 'a', 1, long);
        await store.leases.tryAcquire(name, 'b', 1, long);
        expect(await store.leases.count(name)).toBe(1);
        await store.leases.release(name, 'a');
        expect(await store.leases.tryAcquire(name, 'c', 1, long)).toBe(true);
      });

      test('a holder renews and counts once', async () => {
        const [name, witness] = [aName(), aName()];
        await store.leases.tryAcquire(name, 'a', 1, short);
        expect(await store.leases.tryAcquire(name, 'a', 1, long)).toBe(true);
        await store.leases.tryAcquire(witness, 'w', 1, short);
        await advanceUntil(() => store.leases.count(witness), 0);
        expect(await store.leases.count(name)).toBe(1);
      });

      test('it does not jump the queue', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await store.leases.join(name, 'b', 1, long);
        await store.leases.release(name, 'a');
        expect(await store.leases.tryAcquire(name, 'c', 1, long)).toBe(false);
        expect(await store.leases.join(name, 'b', 1, long)).toBe(0);
      });

      test('a waiting holder keeps its position', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await store.leases.join(name, 'b', 1, long);
        await store.leases.join(name, 'c', 1, long);
        expect(await store.leases.tryAcquire(name, 'b', 1, long)).toBe(false);
        expect(await store.leases.join(name, 'b', 1, long)).toBe(1);
        expect(await store.leases.count(name)).toBe(3);
      });

      test('the lease of an expired holder is free again', async () => {
        const name = aName();
        await store.leases.tryAcquire(name, 'dead', 1, short);
        await advanceUntil(() => other.leases.tryAcquire(name, 'b', 1, long), true);
      });
    });
  });
}
