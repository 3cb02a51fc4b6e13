import { createLeadership, type Leadership } from '@porthole/broker/kubernetes/leadership';
import type { Lease, LeasePort, StoredLease } from '@porthole/broker/kubernetes/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { createLog } from '@porthole/shared/telemetry/log';
import fc from 'fast-check';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';

const log = createLog({ service: 'test', level: 'silent' });

/** A Lease of the API server, with a connection that a test can cut for each user. */
function createLease() {
  let version = 0;
  let current: StoredLease | undefined;
  const cut = new Set<string>();
  const port = (user: string): LeasePort => ({
    async read() {
      if (cut.has(user)) throw new Error('the API server is unreachable');
      return current;
    },
    async write(seen: StoredLease | undefined, next: Lease) {
      if (cut.has(user)) throw new Error('the API server is unreachable');
      if (seen?.version !== current?.version) return false;
      current = { ...next, version: String(++version) };
      return true;
    },
  });
  return { port, cut, current: () => current };
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** Advances time in steps of a second, so that each response arrives before the next request. */
async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1000);
    await settled();
  }
}

describe('leader election', () => {
  const clock = createFakeClock();
  let lease: ReturnType<typeof createLease>;
  let brokers: Leadership[];
  const candidate = (identity: string, own: Clock = clock) => {
    const made = createLeadership({ lease: lease.port(identity), identity, clock: own, log });
    brokers.push(made);
    return made;
  };

  beforeEach(() => {
    lease = createLease();
    brokers = [];
  });
  afterEach(async () => {
    lease.cut.clear();
    for (const broker of brokers) await broker.stop();
    expect(clock.pending()).toBe(0);
  });

  it('elects one of three, which leads as long as it renews', async () => {
    const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
    for (const one of [a, b, c]) await one.start();
    for (let minute = 0; minute < 5; minute += 1) {
      await pass(clock, 60);
      expect([a, b, c].map((one) => one.isLeader())).toEqual([true, false, false]);
    }
    expect(lease.current()?.transitions).toBe(0);
  });

  it('ends before another process can lead if the API server is unreachable', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await a.start();
    await b.start();
    await pass(clock, 4);
    lease.cut.add('a');
    await pass(clock, 11);
    expect([a.isLeader(), b.isLeader()]).toEqual([false, false]);
    await pass(clock, 10);
    expect([a.isLeader(), b.isLeader()]).toEqual([false, true]);
    lease.cut.delete('a');
    await pass(clock, 10);
    expect([a.isLeader(), b.isLeader()]).toEqual([false, true]);
    expect(lease.current()?.transitions).toBe(1);
  });

  it('releases the lease on stop, so that the next leader needs one retry', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await a.start();
    await b.start();
    await a.stop();
    await pass(clock, 2);
    expect([a.isLeader(), b.isLeader()]).toEqual([false, true]);
  });

  it('uses only its own clock to find an expired lease', async () => {
    const skewed: Clock = { now: () => clock.now() + 86_400_000, after: clock.after };
    const [a, b] = [candidate('a'), candidate('b', skewed)];
    await a.start();
    await b.start();
    await pass(clock, 60);
    expect([a.isLeader(), b.isLeader()]).toEqual([true, false]);
  });

  it('waits at most an hour for a holder with an invalid duration', async () => {
    await lease.port('x').write(undefined, {
      holder: 'gone',
      durationSeconds: 2 ** 31 - 1,
      transitions: 0,
      acquiredAt: 0,
    });
    const a = candidate('a');
    await a.start();
    clock.advance(3_590_000);
    await settled();
    expect(a.isLeader()).toBe(false);
    await pass(clock, 15);
    expect(a.isLeader()).toBe(true);
  });

  it('never has two leaders, with any interruptions', async () => {
    const step = fc.record({
      who: fc.constantFrom('a', 'b', 'c'),
      cut: fc.boolean(),
      seconds: fc.integer({ min: 0, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        lease = createLease();
        const three = ['a', 'b', 'c'].map((identity) => candidate(identity));
        for (const one of three) await one.start();
        for (const { who, cut, seconds } of steps) {
          if (cut) lease.cut.add(who);
          else lease.cut.delete(who);
          for (let second = 0; second < seconds; second += 1) {
            await pass(clock, 1);
            expect(three.filter((one) => one.isLeader()).length).toBeLessThanOrEqual(1);
          }
        }
        lease.cut.clear();
        await pass(clock, 20);
        expect(three.filter((one) => one.isLeader())).toHaveLength(1);
        for (const one of three) await one.stop();
      }),
      { numRuns: 30 },
    );
  });
});
