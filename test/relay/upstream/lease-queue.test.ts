import { createLeaseQueue, limitQueueTime, type LeaseRequest } from '@porthole/relay/upstream/lease-queue';
import { lifetimes } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { LeaseStore } from '@porthole/shared/store/ports';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';

/** Lets promises settle. */
const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Advances the clock in small steps, and lets promises settle after each. */
async function advance(clock: FakeClock, ms: number): Promise<void> {
  for (let elapsed = 0; elapsed < ms; elapsed += 100) {
    clock.advance(Math.min(100, ms - elapsed));
    await settle();
  }
}

/** The queue of one relay. `join` requests a lease and records what happens. */
function createRelayQueue(leases: LeaseStore, clock: FakeClock) {
  const queue = createLeaseQueue({ leases, clock });
  function join(holder: string, overrides: Partial<LeaseRequest> = {}) {
    const positions: number[] = [];
    const abort = new AbortController();
    const waiter = {
      state: 'waiting',
      positions,
      abort,
      release: async () => {},
      error: undefined as unknown,
    };
    queue
      .acquireInQueue({
        name: 'dial',
        holder,
        limit: 1,
        onPosition: (position) => positions.push(position),
        signal: abort.signal,
        ...overrides,
      })
      .then(
        (release) => {
          waiter.state = 'held';
          waiter.release = release;
        },
        (error: unknown) => {
          waiter.state = 'failed';
          waiter.error = error;
        },
      );
    return waiter;
  }
  return { queue, join };
}

function setUp() {
  const clock = createFakeClock();
  const { leases } = createMemoryStore({ clock });
  return { clock, leases, ...createRelayQueue(leases, clock) };
}

describe('the queue for a lease', () => {
  test('grants free leases at once, without a position', async () => {
    const { join, queue } = setUp();
    const three = ['a', 'b', 'c'].map((holder) => join(holder, { limit: 3 }));
    await settle();
    expect(three.map(({ state }) => state)).toEqual(['held', 'held', 'held']);
    expect(three.flatMap(({ positions }) => positions)).toEqual([]);
    expect(queue.length).toBe(0);
  });

  test('is served in order, and each waiter is told each new position once', async () => {
    const { join, clock, queue } = setUp();
    const waiters = ['a', 'b', 'c', 'd'].map((holder) => join(holder));
    await settle();
    expect(queue.length).toBe(3);
    await advance(clock, 3000);
    expect(waiters.map(({ positions }) => positions)).toEqual([[], [1], [2], [3]]);
    for (const [index, waiter] of waiters.entries()) {
      expect(waiters.map(({ state }) => state)).toEqual(
        waiters.map((_, other) => (other <= index ? 'held' : 'waiting')),
      );
      await waiter.release();
      await advance(clock, 1000);
    }
    expect(waiters.map(({ positions }) => positions)).toEqual([[], [1], [2, 1], [3, 2, 1]]);
    expect(queue.length).toBe(0);
  });

  test('moves on at once when a lease is released in this relay', async () => {
    const { join } = setUp();
    const first = join('a');
    const second = join('b');
    await settle();
    await first.release();
    await settle(); // No time passes.
    expect(second.state).toBe('held');
  });

  test('is shared by all relays', async () => {
    const { clock, leases, join } = setUp();
    const other = createRelayQueue(leases, clock);
    const first = join('a');
    await settle();
    const second = other.join('b');
    await settle();
    const third = join('c');
    await settle();
    await first.release();
    await settle();
    expect(third.state).toBe('waiting');
    await advance(clock, 100);
    expect(second.state).toBe('held');
    await second.release();
    await advance(clock, 200);
    expect(third.state).toBe('held');
  });

  test('is left by a waiter that is aborted, and the next one moves up', async () => {
    const { clock, leases, join, queue } = setUp();
    const first = join('a');
    const second = join('b');
    const third = join('c');
    await settle();
    const reason = new Error('the viewer left');
    second.abort.abort(reason);
    await settle();
    expect([second.state, second.error]).toEqual(['failed', reason]);
    expect(queue.length).toBe(1);
    expect(await leases.count('dial')).toBe(2);
    await advance(clock, 1000);
    expect(third.positions).toEqual([2, 1]);
    await first.release();
    await settle();
    expect(third.state).toBe('held');
  });

  test('rejects a request that is aborted already', async () => {
    const { leases, queue } = setUp();
    const signal = AbortSignal.abort(new Error('left'));
    const request = { name: 'dial', holder: 'a', limit: 1, onPosition: () => {}, signal };
    await expect(queue.acquireInQueue(request)).rejects.toThrow('left');
    expect(await leases.count('dial')).toBe(0);
  });

  test('renews a lease until it is released', async () => {
    const { clock, leases, join } = setUp();
    const first = join('a');
    await advance(clock, 4 * lifetimes.dialLease);
    expect(first.state).toBe('held');
    expect(await leases.tryAcquire('dial', 'b', 1, 1000)).toBe(false);
    await first.release();
    expect(await leases.tryAcquire('dial', 'b', 1, 1000)).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test('keeps the position of a waiter for as long as it waits', async () => {
    const { clock, join } = setUp();
    const first = join('a');
    await settle();
    const second = join('b');
    await advance(clock, 2 * lifetimes.dialLease);
    const third = join('c');
    await settle();
    await first.release();
    await settle();
    expect([second.state, third.state]).toEqual(['held', 'waiting']);
  });

  test('moves on when the lease of a crashed relay expires', async () => {
    const { clock, leases, join } = setUp();
    await leases.join('dial', 'a crashed relay', 1, lifetimes.dialLease);
    const second = join('b');
    await advance(clock, lifetimes.dialLease - 200);
    expect(second.state).toBe('waiting');
    await advance(clock, 400);
    expect(second.state).toBe('held');
  });

  test('rejects its waiters if the store is unavailable', async () => {
    const clock = createFakeClock();
    const store = createMemoryStore({ clock });
    const { join, queue } = createRelayQueue(store.leases, clock);
    const first = join('a');
    const second = join('b');
    await settle();
    await store.stop();
    await advance(clock, 1000);
    expect([second.state, second.error]).toMatchObject(['failed', { code: 'store_unavailable' }]);
    expect(queue.length).toBe(0);
    await first.release(); // Does not reject: the lease expires.
    expect(clock.pending()).toBe(0);
  });
});

describe('the limit of the time in the queue', () => {
  test('aborts a waiter after the queue timeout', async () => {
    const { clock, join, leases } = setUp();
    join('a');
    const limited = limitQueueTime(clock, 60, new AbortController().signal);
    const second = join('b', { signal: limited.signal });
    await advance(clock, 59_900);
    expect(second.state).toBe('waiting');
    await advance(clock, 100);
    expect([second.state, second.error]).toMatchObject(['failed', { code: 'queue_timeout' }]);
    expect(await leases.count('dial')).toBe(1);
  });

  test('does not apply after it was stopped', () => {
    const { clock } = setUp();
    const limited = limitQueueTime(clock, 60, new AbortController().signal);
    limited.stop();
    clock.advance(3_600_000);
    expect(limited.signal.aborted).toBe(false);
    expect(clock.pending()).toBe(0);
    limited.dispose();
  });

  test('follows the signal of the session', () => {
    const { clock } = setUp();
    const abort = new AbortController();
    const limited = limitQueueTime(clock, 60, abort.signal);
    abort.abort(new Error('left'));
    expect(limited.signal.reason).toEqual(new Error('left'));
    limited.dispose();
  });
});
