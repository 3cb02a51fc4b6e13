import { createLeaseQueue, limitQueueTime, type LeaseRequest } from '@porthole/relay/upstream/lease-queue';
import { lifetimes } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { LeaseStore } from '@porthole/shared/store/ports';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';

const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Moves time in small steps, so that everything that waits gets its turn in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 100) {
    clock.advance(Math.min(100, ms - gone));
    await settle();
  }
}

function aRelay(leases: LeaseStore, clock: FakeClock) {
  const line = createLeaseQueue({ leases, clock });
  /** Somebody who gets in line, and what becomes of it. */
  function join(holder: string, different: Partial<LeaseRequest> = {}) {
    const positions: number[] = [];
    const leaving = new AbortController();
    const seen = {
      state: 'waiting',
      positions,
      leaving,
      release: async () => {},
      error: undefined as unknown,
    };
    line
      .acquireInQueue({
        name: 'dial',
        holder,
        limit: 1,
        onPosition: (position) => positions.push(position),
        signal: leaving.signal,
        ...different,
      })
      .then(
        (release) => {
          seen.state = 'held';
          seen.release = release;
        },
        (error: unknown) => {
          seen.state = 'gone';
          seen.error = error;
        },
      );
    return seen;
  }
  return { line, join };
}

function setUp() {
  const clock = createFakeClock();
  const { leases } = createMemoryStore({ clock });
  return { clock, leases, ...aRelay(leases, clock) };
}

describe('a line for a lease', () => {
  test('lets as many in as there is room, at once and without a word', async () => {
    const { join, line } = setUp();
    const three = ['a', 'b', 'c'].map((holder) => join(holder, { limit: 3 }));
    await settle();
    expect(three.map(({ state }) => state)).toEqual(['held', 'held', 'held']);
    expect(three.flatMap(({ positions }) => positions)).toEqual([]);
    expect(line.length).toBe(0);
  });

  test('is served in order, and everybody is told each new place once', async () => {
    const { join, clock, line } = setUp();
    const people = ['a', 'b', 'c', 'd'].map((holder) => join(holder));
    await settle();
    expect(line.length).toBe(3);
    await pass(clock, 3000);
    expect(people.map(({ positions }) => positions)).toEqual([[], [1], [2], [3]]);
    for (const [index, person] of people.entries()) {
      expect(people.map(({ state }) => state)).toEqual(
        people.map((_, other) => (other <= index ? 'held' : 'waiting')),
      );
      await person.release();
      await pass(clock, 1000);
    }
    expect(people.map(({ positions }) => positions)).toEqual([[], [1], [2, 1], [3, 2, 1]]);
    expect(line.length).toBe(0);
  });

  test('moves on at once when somebody in this relay is done', async () => {
    const { join } = setUp();
    const first = join('a');
    const second = join('b');
    await settle();
    await first.release();
    await settle(); // and no time passes
    expect(second.state).toBe('held');
  });

  test('is one over all relays', async () => {
    const { clock, leases, join } = setUp();
    const other = aRelay(leases, clock);
    const first = join('a');
    await settle();
    const second = other.join('b');
    await settle();
    const third = join('c');
    await settle();
    await first.release();
    await settle();
    expect(third.state).toBe('waiting');
    await pass(clock, 100);
    expect(second.state).toBe('held');
    await second.release();
    await pass(clock, 200);
    expect(third.state).toBe('held');
  });

  test('is left by whoever gives up, and the next one moves up', async () => {
    const { clock, leases, join, line } = setUp();
    const first = join('a');
    const second = join('b');
    const third = join('c');
    await settle();
    const reason = new Error('closed the tab');
    second.leaving.abort(reason);
    await settle();
    expect([second.state, second.error]).toEqual(['gone', reason]);
    expect(line.length).toBe(1);
    expect(await leases.count('dial')).toBe(2);
    await pass(clock, 1000);
    expect(third.positions).toEqual([2, 1]);
    await first.release();
    await settle();
    expect(third.state).toBe('held');
  });

  test('takes nobody who has left already', async () => {
    const { leases, line } = setUp();
    const signal = AbortSignal.abort(new Error('left'));
    const request = { name: 'dial', holder: 'a', limit: 1, onPosition: () => {}, signal };
    await expect(line.acquireInQueue(request)).rejects.toThrow('left');
    expect(await leases.count('dial')).toBe(0);
  });

  test('keeps the lease of whoever holds it for as long as it takes', async () => {
    const { clock, leases, join } = setUp();
    const first = join('a');
    await pass(clock, 4 * lifetimes.dialLease);
    expect(first.state).toBe('held');
    expect(await leases.tryAcquire('dial', 'b', 1, 1000)).toBe(false);
    await first.release();
    expect(await leases.tryAcquire('dial', 'b', 1, 1000)).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test('keeps the place of whoever waits for as long as it takes', async () => {
    const { clock, join } = setUp();
    const first = join('a');
    await settle();
    const second = join('b');
    await pass(clock, 2 * lifetimes.dialLease);
    const third = join('c');
    await settle();
    await first.release();
    await settle();
    expect([second.state, third.state]).toEqual(['held', 'waiting']);
  });

  test('goes on without a relay that died with the lease', async () => {
    const { clock, leases, join } = setUp();
    await leases.join('dial', 'a relay that dies', 1, lifetimes.dialLease);
    const second = join('b');
    await pass(clock, lifetimes.dialLease - 200);
    expect(second.state).toBe('waiting');
    await pass(clock, 400);
    expect(second.state).toBe('held');
  });

  test('ends with the store, and says so', async () => {
    const clock = createFakeClock();
    const store = createMemoryStore({ clock });
    const { join, line } = aRelay(store.leases, clock);
    const first = join('a');
    const second = join('b');
    await settle();
    await store.stop();
    await pass(clock, 1000);
    expect([second.state, second.error]).toMatchObject(['gone', { code: 'store_unavailable' }]);
    expect(line.length).toBe(0);
    await first.release(); // harmless: the lease runs out by itself
    expect(clock.pending()).toBe(0);
  });
});

describe('people wait in line', () => {
  test('no longer than the queue allows', async () => {
    const { clock, join, leases } = setUp();
    join('a');
    const wait = limitQueueTime(clock, 60, new AbortController().signal);
    const second = join('b', { signal: wait.signal });
    await pass(clock, 59_900);
    expect(second.state).toBe('waiting');
    await pass(clock, 100);
    expect([second.state, second.error]).toMatchObject(['gone', { code: 'queue_timeout' }]);
    expect(await leases.count('dial')).toBe(1);
  });

  test('as long as they like once it was their turn', () => {
    const { clock } = setUp();
    const wait = limitQueueTime(clock, 60, new AbortController().signal);
    wait.stop();
    clock.advance(3_600_000);
    expect(wait.signal.aborted).toBe(false);
    expect(clock.pending()).toBe(0);
    wait.dispose();
  });

  test('no longer than they are there', () => {
    const { clock } = setUp();
    const leaving = new AbortController();
    const wait = limitQueueTime(clock, 60, leaving.signal);
    leaving.abort(new Error('left'));
    expect(wait.signal.reason).toEqual(new Error('left'));
    wait.dispose();
  });
});
