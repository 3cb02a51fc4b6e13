import { systemClock, sleep } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';

export interface StoreUnderTest {
  readonly store: Store;
  /** Another client of the same backend, as another pod has one. */
  readonly other: Store;
  /** Lets about so much time pass for the store. */
  advance(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** Long enough not to expire within a test, on however slow a machine. */
const long = 600_000;
/** Short enough to wait for. */
const short = 100;

/**
 * What every store does. Nothing here depends on the speed of the machine: what is to expire is waited for,
 * what is to last has a long life.
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

    /** Waits until `read` answers `expected`. */
    async function eventually<T>(read: () => Promise<T>, expected: T): Promise<void> {
      const deadline = Date.now() + 15_000;
      for (;;) {
        const value = await read();
        if (value === expected) return;
        if (Date.now() > deadline) throw new Error(`Still ${String(value)} instead of ${String(expected)}.`);
        await subject.advance(20);
        await sleep(systemClock, 2);
      }
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

      test('reading, taking or deleting what does not exist is harmless', async () => {
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

      test('of 50 concurrent takers on two clients exactly one gets the value', async () => {
        const key = aName();
        await store.records.put(key, 'grant', long);
        const takers = Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).records.take(key));
        const taken = await Promise.all(takers);
        expect(taken.filter((value) => value === 'grant')).toHaveLength(1);
        expect(taken.filter((value) => value === undefined)).toHaveLength(49);
      });

      test('a record is gone after its time, for readers and for takers', async () => {
        const [read, taken] = [aName(), aName()];
        await store.records.put(read, 'v', short);
        await store.records.put(taken, 'v', short);
        await eventually(() => store.records.get(read), undefined);
        await eventually(() => store.records.get(taken), undefined);
        expect(await store.records.take(taken)).toBeUndefined();
      });

      test('a fraction of a millisecond is a lifetime like any other', async () => {
        const key = aName();
        await store.records.put(key, 'v', 0.5);
        await eventually(() => store.records.get(key), undefined);
      });

      test('writing again replaces the value and its lifetime', async () => {
        const [key, witness] = [aName(), aName()];
        await store.records.put(key, 'old', short);
        await store.records.put(key, 'new', long);
        await store.records.put(witness, 'v', short);
        await eventually(() => store.records.get(witness), undefined);
        expect(await store.records.get(key)).toBe('new');
      });
    });

    describe('records that several write', () => {
      test('a value is replaced only by who knows the one that is there', async () => {
        const key = aName();
        await store.records.put(key, 'mine', long);
        expect(await other.records.replace(key, 'not it', 'theirs', long)).toBe(false);
        expect(await store.records.replace(key, 'mine', 'mine again', long)).toBe(true);
        expect(await other.records.get(key)).toBe('mine again');
      });

      test('nothing is replaced where nothing is', async () => {
        const key = aName();
        expect(await store.records.replace(key, '', 'v', long)).toBe(false);
        expect(await store.records.get(key)).toBeUndefined();
      });

      test('replacing gives a new lifetime', async () => {
        const [longer, shorter] = [aName(), aName()];
        await store.records.put(longer, 'a', short);
        await store.records.put(shorter, 'a', long);
        expect(await store.records.replace(longer, 'a', 'b', long)).toBe(true);
        expect(await store.records.replace(shorter, 'a', 'b', short)).toBe(true);
        await eventually(() => store.records.get(shorter), undefined);
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

      test('a value is removed only by who knows it, and only once', async () => {
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
      test('holders are listed in order, as digests, without those who left or died', async () => {
        const name = aName();
        expect(await store.leases.list(name)).toEqual([]);
        await store.leases.join(name, 'dead', 1, short);
        for (const holder of ['b', 'a', 'gone', 'c']) await store.leases.join(name, holder, 1, long);
        await other.leases.release(name, 'gone');
        const expected = ['b', 'a', 'c'].map((holder) => digest(holder)).join();
        await eventually(async () => (await other.leases.list(name)).join(), expected);
      });

      test('the first ones hold it, the others stand in line in the order in which they asked', async () => {
        const name = aName();
        const positions: number[] = [];
        for (const [i, holder] of ['d', 'a', 'c', 'b', 'e'].entries()) {
          positions.push(await (i % 2 ? store : other).leases.join(name, holder, 2, long));
        }
        expect(positions).toEqual([0, 0, 1, 2, 3]);
        expect(await other.leases.count(name)).toBe(5);
      });

      test('asking again changes nothing', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await store.leases.join(name, 'b', 1, long);
        await store.leases.join(name, 'c', 1, long);
        expect(await store.leases.join(name, 'a', 1, long)).toBe(0);
        expect(await store.leases.join(name, 'c', 1, long)).toBe(2);
        expect(await store.leases.join(name, 'b', 1, long)).toBe(1);
        expect(await store.leases.count(name)).toBe(3);
      });

      test('whoever is next moves up when a holder lets go, on any client', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await other.leases.join(name, 'b', 1, long);
        await store.leases.join(name, 'c', 1, long);
        await store.leases.release(name, 'a');
        expect(await store.leases.join(name, 'c', 1, long)).toBe(1);
        expect(await other.leases.join(name, 'b', 1, long)).toBe(0);
      });

      test('whoever comes back after letting go stands at the end', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await store.leases.join(name, 'b', 1, long);
        await store.leases.release(name, 'a');
        expect(await store.leases.join(name, 'a', 1, long)).toBe(1);
      });

      test('somebody in line can leave it', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await store.leases.join(name, 'b', 1, long);
        await store.leases.join(name, 'c', 1, long);
        await store.leases.release(name, 'b');
        expect(await store.leases.join(name, 'c', 1, long)).toBe(1);
        expect(await store.leases.count(name)).toBe(2);
      });

      test('letting go of what one does not have is harmless', async () => {
        const name = aName();
        await store.leases.release(name, 'a');
        await store.leases.join(name, 'b', 1, long);
        await store.leases.release(name, 'a');
        expect(await store.leases.count(name)).toBe(1);
      });

      test('a lease that everybody let go starts afresh', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await store.leases.release(name, 'a');
        expect(await store.leases.count(name)).toBe(0);
        expect(await other.leases.join(name, 'b', 1, long)).toBe(0);
      });

      test('a holder that dies makes way for the next, which did nothing but renew', async () => {
        const name = aName();
        await store.leases.join(name, 'dead', 1, short);
        await other.leases.join(name, 'next', 1, long);
        await eventually(() => other.leases.join(name, 'next', 1, long), 0);
        expect(await other.leases.count(name)).toBe(1);
      });

      test('somebody who dies in line is no longer counted', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 1, long);
        await store.leases.join(name, 'dead', 1, short);
        await store.leases.join(name, 'c', 1, long);
        await eventually(() => store.leases.join(name, 'c', 1, long), 1);
      });

      test('a holder that renews stays, however long ago it came', async () => {
        const [name, witness] = [aName(), aName()];
        await store.leases.join(name, 'a', 1, short);
        expect(await store.leases.join(name, 'a', 1, long)).toBe(0);
        await store.leases.join(name, 'b', 1, long);
        await store.leases.join(witness, 'w', 1, short);
        await eventually(() => store.leases.count(witness), 0);
        expect(await store.leases.join(name, 'b', 1, long)).toBe(1);
      });

      test('a holder that comes too late is told its place at the end of the line', async () => {
        const name = aName();
        await store.leases.join(name, 'late', 1, short);
        await store.leases.join(name, 'b', 1, long);
        await eventually(() => store.leases.join(name, 'b', 1, long), 0);
        expect(await store.leases.join(name, 'late', 1, long)).toBe(1);
      });

      test('a limit that is lowered makes the youngest holders wait', async () => {
        const name = aName();
        await store.leases.join(name, 'a', 2, long);
        await store.leases.join(name, 'b', 2, long);
        expect(await other.leases.join(name, 'b', 1, long)).toBe(1);
        expect(await other.leases.tryAcquire(name, 'b', 1, long)).toBe(false);
        expect(await other.leases.join(name, 'a', 1, long)).toBe(0);
      });

      test('leases of different names know nothing of each other', async () => {
        expect(await store.leases.join(aName(), 'a', 1, long)).toBe(0);
        expect(await store.leases.join(aName(), 'b', 1, long)).toBe(0);
      });

      test('of 50 concurrent clients exactly as many hold it as may, and the rest form one line', async () => {
        const name = aName();
        const joins = Array.from({ length: 50 }, (_, i) =>
          (i % 2 ? store : other).leases.join(name, `h${i}`, 3, long),
        );
        const positions = (await Promise.all(joins)).sort((a, b) => a - b);
        expect(positions).toEqual([0, 0, 0, ...Array.from({ length: 47 }, (_, i) => i + 1)]);
      });

      describe('without waiting', () => {
        test('a place is taken while there is one, and refused after that', async () => {
          const name = aName();
          expect(await store.leases.tryAcquire(name, 'a', 2, long)).toBe(true);
          expect(await other.leases.tryAcquire(name, 'b', 2, long)).toBe(true);
          expect(await store.leases.tryAcquire(name, 'c', 2, long)).toBe(false);
        });

        test('a refusal leaves no place in line', async () => {
          const name = aName();
          await store.leases.tryAcquire(name, 'a', 1, long);
          await store.leases.tryAcquire(name, 'b', 1, long);
          expect(await store.leases.count(name)).toBe(1);
          await store.leases.release(name, 'a');
          expect(await store.leases.tryAcquire(name, 'c', 1, long)).toBe(true);
        });

        test('a holder renews and is not counted twice', async () => {
          const [name, witness] = [aName(), aName()];
          await store.leases.tryAcquire(name, 'a', 1, short);
          expect(await store.leases.tryAcquire(name, 'a', 1, long)).toBe(true);
          await store.leases.tryAcquire(witness, 'w', 1, short);
          await eventually(() => store.leases.count(witness), 0);
          expect(await store.leases.count(name)).toBe(1);
        });

        test('it does not jump the line', async () => {
          const name = aName();
          await store.leases.join(name, 'a', 1, long);
          await store.leases.join(name, 'b', 1, long);
          await store.leases.release(name, 'a');
          expect(await store.leases.tryAcquire(name, 'c', 1, long)).toBe(false);
          expect(await store.leases.join(name, 'b', 1, long)).toBe(0);
        });

        test('somebody in line keeps the place there, and gets no other', async () => {
          const name = aName();
          await store.leases.join(name, 'a', 1, long);
          await store.leases.join(name, 'b', 1, long);
          await store.leases.join(name, 'c', 1, long);
          expect(await store.leases.tryAcquire(name, 'b', 1, long)).toBe(false);
          expect(await store.leases.join(name, 'b', 1, long)).toBe(1);
          expect(await store.leases.count(name)).toBe(3);
        });

        test('the place of a dead holder is free again', async () => {
          const name = aName();
          await store.leases.tryAcquire(name, 'dead', 1, short);
          await eventually(() => other.leases.tryAcquire(name, 'b', 1, long), true);
        });
      });
    });

    describe('signals', () => {
      test('a signal reaches every subscriber of every client, the sender too', async () => {
        const heard: string[] = [];
        const leave = [
          store.signals.subscribe((message) => heard.push(`store 1 ${message}`)),
          store.signals.subscribe((message) => heard.push(`store 2 ${message}`)),
          other.signals.subscribe((message) => heard.push(`other ${message}`)),
        ];
        await other.signals.publish('{"end":"é"}');
        await eventually(async () => heard.length, 3);
        expect(heard.sort()).toEqual(['other {"end":"é"}', 'store 1 {"end":"é"}', 'store 2 {"end":"é"}']);
        for (const unsubscribe of leave) unsubscribe();
      });

      test('signals of one sender arrive in order', async () => {
        const heard: string[] = [];
        const unsubscribe = other.signals.subscribe((message) => heard.push(message));
        for (const message of ['1', '2', '3']) await store.signals.publish(message);
        await eventually(async () => heard.join(), '1,2,3');
        unsubscribe();
      });

      test('whoever unsubscribed hears nothing more, and may do so twice', async () => {
        const [gone, here]: [string[], string[]] = [[], []];
        const leave = store.signals.subscribe((message) => gone.push(message));
        const stay = store.signals.subscribe((message) => here.push(message));
        leave();
        leave();
        await other.signals.publish('anybody?');
        // Signals of the test before may still be on their way to this client.
        await eventually(async () => here.includes('anybody?'), true);
        expect(gone).toEqual([]);
        stay();
      });

      test('a listener that throws keeps the signal from nobody', async () => {
        const heard: string[] = [];
        const leave = [
          store.signals.subscribe(() => {
            throw new Error('not me');
          }),
          store.signals.subscribe((message) => heard.push(message)),
        ];
        await store.signals.publish('all');
        await eventually(async () => heard.join(), 'all');
        for (const unsubscribe of leave) unsubscribe();
      });
    });

    describe('rate limits', () => {
      test('points are spent on all clients together; then it says when to come back', async () => {
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

      test('keys are counted apart', async () => {
        await store.rateLimits.spend(aName(), 1, 600);
        await store.rateLimits.spend(aName(), 1, 600);
      });

      test('budgets over different periods are counted apart', async () => {
        const key = aName();
        await store.rateLimits.spend(key, 1, 600);
        await store.rateLimits.spend(key, 1, 601);
        await expect(store.rateLimits.spend(key, 1, 600)).rejects.toMatchObject({ code: 'rate_limited' });
      });

      test('points come back when the period is over', async () => {
        const key = aName();
        await store.rateLimits.spend(key, 1, 1);
        const spend = () =>
          store.rateLimits.spend(key, 1, 1).then(
            () => 'spent',
            () => 'refused',
          );
        await eventually(spend, 'spent');
      });
    });
  });

  describe(`${name}, stopped`, () => {
    test('stopping twice is harmless, and every call after it is refused', async () => {
      const subject = await makeStore();
      const { store } = subject;
      await store.stop();
      await store.stop();
      expect(await store.healthy()).toBe(false);
      const refused = { code: 'store_unavailable' };
      await expect(store.records.put('k', 'v', long)).rejects.toMatchObject(refused);
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
