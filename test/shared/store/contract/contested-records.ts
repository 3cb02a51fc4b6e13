import type { Store } from '@porthole/shared/store/ports';
import { long, short, type StoreContract } from './contract.ts';

/** Values that several clients write at the same time. */
export function describeContestedRecords({ clients, aName, advanceUntil }: StoreContract): void {
  let store: Store;
  let other: Store;
  beforeAll(() => {
    ({ store, other } = clients());
  });

  describe('records that several write', () => {
    test('a value is added only where there is none', async () => {
      const key = aName();
      expect(await store.records.add(key, 'first', long)).toBe(true);
      expect(await other.records.add(key, 'second', long)).toBe(false);
      expect(await other.records.get(key)).toBe('first');
      await other.records.delete(key);
      expect(await other.records.add(key, '', long)).toBe(true);
      expect(await store.records.add(key, 'not where there is an empty one', long)).toBe(false);
    });

    test('an added value expires, and leaves room for another', async () => {
      const key = aName();
      await store.records.add(key, 'v', short);
      await advanceUntil(() => other.records.add(key, 'next', long), true);
      expect(await store.records.get(key)).toBe('next');
    });

    test('of 50 concurrent writers exactly one adds', async () => {
      const key = aName();
      const writers = Array.from({ length: 50 }, (_, i) =>
        (i % 2 ? store : other).records.add(key, `v${i}`, long),
      );
      const added = await Promise.all(writers);
      expect(added.filter(Boolean)).toHaveLength(1);
      expect(await store.records.get(key)).toBe(`v${added.indexOf(true)}`);
    });

    test('a value is replaced only by a caller that knows the current one', async () => {
      const key = aName();
      await store.records.put(key, 'mine', long);
      expect(await other.records.replace(key, 'not it', 'theirs', long)).toBe(false);
      expect(await store.records.replace(key, 'mine', 'mine again', long)).toBe(true);
      expect(await other.records.get(key)).toBe('mine again');
    });

    test('a missing value is not replaced', async () => {
      const key = aName();
      expect(await store.records.replace(key, '', 'v', long)).toBe(false);
      expect(await store.records.get(key)).toBeUndefined();
    });

    test('a replaced value has a new lifetime', async () => {
      const [longer, shorter] = [aName(), aName()];
      await store.records.put(longer, 'a', short);
      await store.records.put(shorter, 'a', long);
      expect(await store.records.replace(longer, 'a', 'b', long)).toBe(true);
      expect(await store.records.replace(shorter, 'a', 'b', short)).toBe(true);
      await advanceUntil(() => store.records.get(shorter), undefined);
      expect(await store.records.replace(shorter, 'b', 'c', long)).toBe(false);
      expect(await store.records.get(longer)).toBe('b');
    });

    test('of 50 concurrent writers exactly one replaces', async () => {
      const key = aName();
      await store.records.put(key, 'before', long);
      const writers = Array.from({ length: 50 }, (_, i) =>
        (i % 2 ? store : other).records.replace(key, 'before', `after ${i}`, long),
      );
      expect((await Promise.all(writers)).filter(Boolean)).toHaveLength(1);
    });

    test('a value is removed only by a caller that knows it, and only once', async () => {
      const key = aName();
      await store.records.put(key, 'mine', long);
      expect(await other.records.remove(key, 'not it')).toBe(false);
      expect(await store.records.get(key)).toBe('mine');
      expect(await other.records.remove(key, 'mine')).toBe(true);
      expect(await other.records.remove(key, 'mine')).toBe(false);
      expect(await store.records.get(key)).toBeUndefined();
    });
  });
}
