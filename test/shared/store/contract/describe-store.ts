import type { Store } from '@porthole/shared/store/ports';
import { eventually } from '../../../eventually.ts';
import { describeContestedRecords } from './contested-records.ts';
import { long, type StoreContract } from './contract.ts';
import { describeLeases } from './leases.ts';
import { describeRateLimits } from './rate-limits.ts';
import { describeRecords } from './records.ts';
import { describeSignals } from './signals.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Another client of the same backend, such as another pod. */
  readonly other: Store;
  /** Advances the store's time by about `ms`. */
  advance(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The contract tests of all stores, which share one store. They do not depend on the speed of the machine: they wait
 * for what must expire, and what must last has a long lifetime.
 */
export function describeStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let subject: StoreUnderTest;
    let fresh = 0;

    beforeAll(async () => {
      subject = await makeStore();
    });
    afterAll(() => subject.stop());

    const contract: StoreContract = {
      clients: () => subject,
      aName: () => `test/${++fresh}`,
      async advanceUntil(read, expected) {
        await eventually(async () => {
          const value = await read();
          if (value !== expected) await subject.advance(20);
          expect(value).toBe(expected);
        });
      },
    };

    describe('health', () => {
      test('a store that was started is healthy', async () => {
        expect(await subject.store.healthy()).toBe(true);
      });
    });

    describeRecords(contract);
    describeContestedRecords(contract);
    describeLeases(contract);
    describeSignals(contract);
    describeRateLimits(contract);
  });

  describe(`${name}, stopped`, () => {
    test('stopping twice is harmless, and all calls after it are rejected', async () => {
      const subject = await makeStore();
      const { store } = subject;
      await store.stop();
      await store.stop();
      expect(await store.healthy()).toBe(false);
      const refused = { code: 'store_unavailable' };
      await expect(store.records.put('k', 'v', long)).rejects.toMatchObject(refused);
      await expect(store.records.add('k', 'v', long)).rejects.toMatchObject(refused);
      await expect(store.records.take('k')).rejects.toMatchObject(refused);
      await expect(store.records.replace('k', 'a', 'b', long)).rejects.toMatchObject(refused);
      await expect(store.records.remove('k', 'a')).rejects.toMatchObject(refused);
      await expect(store.leases.list('l')).rejects.toMatchObject(refused);
      await expect(store.leases.join('l', 'h', 1, long)).rejects.toMatchObject(refused);
      await expect(store.leases.count('l')).rejects.toMatchObject(refused);
      await expect(store.signals.publish('m')).rejects.toMatchObject(refused);
      await expect(store.rateLimits.spend('k', 1, 1)).rejects.toMatchObject(refused);
      await subject.stop();
    });
  });
}
