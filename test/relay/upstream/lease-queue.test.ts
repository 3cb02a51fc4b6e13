import {
  createLeaseQueue,
  type LeaseRequest,
  type QueueProgress,
  type ReleaseLease,
} from '@porthole/relay/upstream/lease-queue';
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

const stallMs = 60_000;

/** The queue of one relay. `join` requests a lease and records what happens. */
function createRelayQueue(leases: LeaseStore, clock: FakeClock) {
  const queue = createLeaseQueue({ leases, clock, stallMs });
  function join(holder: string, overrides: Partial<LeaseRequest> = {}) {
    const progress: QueueProgress[] = [];
    const abort = new AbortController();
    const waiter = {
      state: 'waiting',
      progress,
      get positions() {
        return progress.map(({ position }) => position);
      },
      abort,
      release: (async () => {}) as ReleaseLease,
      error: undefined as unknown,
    };
    queue
      .acquireInQueue({
        name: 'dial',
        holder,
        limit: 1,
        onProgress: (each) => progress.push(each),
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
    const request = { name: 'dial', holder: 'a', limit: 1, onProgress: () => {}, signal };
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

describe('a queue that does not move', () => {
  test('ends with an error after the time that waiters may stand still', async () => {
    const { clock, join, leases } = setUp();
    join('a');
    const second = join('b');
    await advance(clock, stallMs - 100);
    expect(second.state).toBe('waiting');
    await advance(clock, 100);
    expect([second.state, second.error]).toMatchObject([
      'failed',
      { code: 'queue_timeout', detail: 'position 1; no holder was served for 60 s' },
    ]);
    expect(await leases.count('dial')).toBe(1);
  });

  test('ends for all its waiters together, although positions fall as they give up', async () => {
    const { clock, join, leases } = setUp();
    const other = createRelayQueue(leases, clock);
    join('a');
    const waiters = [];
    for (let i = 0; i < 20; i++) {
      waiters.push((i % 2 ? other : { join }).join(`waiter ${i}`));
      await advance(clock, 300);
    }
    await advance(clock, stallMs);
    expect(waiters.map(({ state }) => state)).toEqual(Array(20).fill('failed'));
  });

  test('is one whose holders all fail', async () => {
    const { clock, join } = setUp();
    const holders = Array.from({ length: 8 }, (_, index) => join(`holder ${index}`));
    const last = join('last');
    for (const holder of holders.slice(0, 7)) {
      await advance(clock, 10_000);
      await holder.release(false);
    }
    expect(last.state).toBe('failed');
  });
});

describe('a queue that moves', () => {
  test('keeps its waiters for as long as it takes, on all relays', async () => {
    const { clock, join, leases } = setUp();
    const other = createRelayQueue(leases, clock);
    const holders = Array.from({ length: 10 }, (_, index) => other.join(`holder ${index}`));
    await settle();
    const last = join('last');
    for (const holder of holders) {
      expect(last.state).toBe('waiting');
      await advance(clock, stallMs - 1000);
      await holder.release(true);
    }
    await advance(clock, 1000);
    expect(last.state).toBe('held');
  });

  test('that stops to move ends soon after', async () => {
    const { clock, join } = setUp();
    const first = join('a');
    join('b');
    const last = join('c');
    await advance(clock, 50_000);
    await first.release(true);
    await advance(clock, stallMs - 1000);
    expect(last.state).toBe('waiting');
    await advance(clock, 6000);
    expect([last.state, last.error]).toMatchObject(['failed', { code: 'queue_timeout' }]);
  });

  test('keeps those who wait for a holder that waits in it', async () => {
    const { clock, join } = setUp();
    join('a');
    const second = join('b', { nextQueue: 'node' });
    const third = join('c');
    for (let i = 0; i < 5; i++) {
      const served = join(`node ${i}`, { name: 'node' });
      await advance(clock, 30_000);
      await served.release(true);
    }
    expect([second.state, third.state]).toEqual(['waiting', 'failed']);
  });

  test('tells the expected wait at the pace at which a waiter has moved up', async () => {
    const { clock, join } = setUp();
    const holders = Array.from({ length: 5 }, (_, index) => join(`holder ${index}`));
    const last = join('last');
    for (const holder of holders) {
      await advance(clock, 2000);
      await holder.release(true);
    }
    expect(last.positions).toEqual([5, 4, 3, 2, 1]);
    const waits = last.progress.map(({ waitSeconds }) => waitSeconds);
    // Two seconds are too short an observation.
    expect(waits.slice(0, 2)).toEqual([undefined, undefined]);
    // Two seconds for each position, and what the polls add.
    for (const [index, position] of [3, 2, 1].entries()) {
      expect(waits[index + 2]).toBeGreaterThanOrEqual(2 * position);
      expect(waits[index + 2]).toBeLessThanOrEqual(2 * position + 2);
    }
  });

  test('repeats the position with a longer wait if its pace slows down', async () => {
    const { clock, join } = setUp();
    const holders = Array.from({ length: 3 }, (_, index) => join(`holder ${index}`));
    const last = join('last');
    await advance(clock, 4000);
    await holders[0]?.release(true);
    await advance(clock, 22_000);
    expect(last.positions).toEqual([3, 2, 2, 2]);
    const waits = last.progress.flatMap(({ waitSeconds }) => waitSeconds ?? []);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.at(-1)).toBeGreaterThan(30);
  });
});
