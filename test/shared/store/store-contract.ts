import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { eventually } from '../../eventually.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Another client of the same backend, such as another pod. */
  readonly other: Store;
  /** Advances the store's time by about `ms`. */
  advance(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** Does not expire within a test, even on a slow machine. */
const long = 600_000;
/** Expires within a test. */
const short = 100;

/**
 * The contract tests of all stores, in one file so that they share one store. They do not depend on the speed of the
 * machine: they wait for what must expire, and what must last has a long lifetime.
 */
export function describeStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let subject: StoreUnderTest;
    let store: Store;
    let other: Store;
    let fresh = 0;

    beforeAll(async () => {
      subject = await makeStore();
      ({ store, other } = subject);
    });
    afterAll(() => subject.stop());

    /** A name that no other test uses. */
    const aName = () => `test/${++fresh}`;

    /** Advances the store's time until `read` resolves to `expected`. */
    async function advanceUntil<T>(read: () => Promise<T>, expected: T): Promise<void> {
      await eventually(async () => {
        const value = await read();
        if (value !== expected) await subject.advance(20);
        expect(value).toBe(expected);
      });
    }

    describe('health', () => {
      test('a store that was started is healthy', async () => {
        expect(await store.healthy()).toBe(true);
      });
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

    describe('signals', () => {
      test('a signal reaches all subscribers of all clients, including the sender', async () => {
        const heard: string[] = [];
        const leave = [
          store.signals.subscribe((message) => heard.push(`store 1 ${message}`)),
          store.signals.subscribe((message) => heard.push(`store 2 ${message}`)),
          other.signals.subscribe((message) => heard.push(`other ${message}`)),
        ];
        await other.signals.publish('{"end":"é"}');
        await advanceUntil(async () => heard.length, 3);
        expect(heard.sort()).toEqual(['other {"end":"é"}', 'store 1 {"end":"é"}', 'store 2 {"end":"é"}']);
        for (const unsubscribe of leave) unsubscribe();
      });

      test('signals of one sender arrive in order', async () => {
        const heard: string[] = [];
        const unsubscribe = other.signals.subscribe((message) => heard.push(message));
        for (const message of ['1', '2', '3']) await store.signals.publish(message);
        await advanceUntil(async () => heard.join(), '1,2,3');
        unsubscribe();
      });

      test('an unsubscribed listener gets no further signals, and unsubscribing twice is harmless', async () => {
        const [gone, here]: [string[], string[]] = [[], []];
        const leave = store.signals.subscribe((message) => gone.push(message));
        const stay = store.signals.subscribe((message) => here.push(message));
        leave();
        leave();
        await other.signals.publish('still there?');
        // Signals of the previous test may still arrive.
        await advanceUntil(async () => here.includes('still there?'), true);
        expect(gone).toEqual([]);
        stay();
      });

      test('a listener that throws does not keep the signal from others', async () => {
        const heard: string[] = [];
        const leave = [
          store.signals.subscribe(() => {
            throw new Error('not me');
          }),
          store.signals.subscribe((message) => heard.push(message)),
        ];
        await store.signals.publish('all');
        await advanceUntil(async () => heard.join(), 'all');
        for (const unsubscribe of leave) unsubscribe();
      });
    });

    describe('rate limits', () => {
      test('all clients share the points, and the rejection has a retryAfter', async () => {
        const key = aName();
        await store.rateLimits.spend(key, 3, 600);
        await other.rateLimits.spend(key, 3, 600);
        await store.rateLimits.spend(key, 3, 600);
        for (const client of [store, other]) {
          const refused: unknown = await client.rateLimits
            .spend(key, 3, 600)
            .catch((error: unknown) => error);
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
