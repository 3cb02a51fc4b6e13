import type { Store } from '@porthole/shared/store/ports';
import { long, short, type StoreContract } from './contract.ts';

/** Values with a lifetime. */
export function describeRecords({ clients, aName, advanceUntil }: StoreContract): void {
  let store: Store;
  let other: Store;
  beforeAll(() => {
    ({ store, other } = clients());
  });

  describe('records', () => {
    test('a record can be read by every client until it is deleted', async () => {
      const key = aName();
      await store.records.put(key, 'välue \u0000 "1"', long);
      expect(await store.records.get(key)).toBe('välue \u0000 "1"');
      expect(await other.records.get(key)).toBe('välue \u0000 "1"');
      await other.records.delete(key);
      expect(await store.records.get(key)).toBeUndefined();
    });

    test('reading, taking or deleting a missing record is harmless', async () => {
      const key = aName();
      expect(await store.records.get(key)).toBeUndefined();
      expect(await store.records.take(key)).toBeUndefined();
      await store.records.delete(key);
    });

    test('an empty value is a value', async () => {
      const key = aName();
      await store.records.put(key, '', long);
      expect(await store.records.take(key)).toBe('');
      expect(await store.records.take(key)).toBeUndefined();
    });

    test('of 50 concurrent takers on two clients, exactly one gets the value', async () => {
      const key = aName();
      await store.records.put(key, 'grant', long);
      const takers = Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).records.take(key));
      const taken = await Promise.all(takers);
      expect(taken.filter((value) => value === 'grant')).toHaveLength(1);
      expect(taken.filter((value) => value === undefined)).toHaveLength(49);
    });

    test('an expired record can be neither read nor taken', async () => {
      const [read, taken] = [aName(), aName()];
      await store.records.put(read, 'v', short);
      await store.records.put(taken, 'v', short);
      await advanceUntil(() => store.records.get(read), undefined);
      await advanceUntil(() => store.records.get(taken), undefined);
      expect(await store.records.take(taken)).toBeUndefined();
    });

    test('a fraction of a millisecond is a valid lifetime', async () => {
      const key = aName();
      await store.records.put(key, 'v', 0.5);
      await advanceUntil(() => store.records.get(key), undefined);
    });

    test('an overwritten record has a new value and a new lifetime', async () => {
      const [key, witness] = [aName(), aName()];
      await store.records.put(key, 'old', short);
      await store.records.put(key, 'new', long);
      await store.records.put(witness, 'v', short);
      await advanceUntil(() => store.records.get(witness), undefined);
      expect(await store.records.get(key)).toBe('new');
    });
  });
}
