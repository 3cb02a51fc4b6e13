import { createLeadership, type Leadership } from '@porthole/broker/kubernetes/leadership';
import type { Lease, LeasePort, StoredLease } from '@porthole/broker/kubernetes/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { createLog } from '@porthole/shared/telemetry/log';
import fc from 'fast-check';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';

const log = createLog({ service: 'test', level: 'silent' });

/** A Lease as the API server keeps it, and the way there, which can be cut for each of its users. */
function createLease() {
  let version = 0;
  let current: StoredLease | undefined;
  const cut = new Set<string>();
  const port = (user: string): LeasePort => ({
    async read() {
      if (cut.has(user)) throw new Error('the API server is away');
      return current;
    },
    async write(seen: StoredLease | undefined, next: Lease) {
      if (cut.has(user)) throw new Error('the API server is away');
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

/** Moves time in the elector's own steps, so that each answer comes before the next question. */
async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1000);
    await settled();
  }
}

describe('the election of the broker that acts', () => {
  const clock = createFakeClock();
  let lease: ReturnType<typeof createLease>;
  let brokers: Leadership[];
  const elector = (identity: string, own: Clock = clock) => {
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

  it('lets one of three lead, and the same one for as long as it renews', async () => {
    const [a, b, c] = [elector('a'), elector('b'), elector('c')];
    for (const one of [a, b, c]) await one.start();
    for (let minute = 0; minute < 5; minute += 1) {
      await pass(clock, 60);
      expect([a, b, c].map((one) => one.isLeader())).toEqual([true, false, false]);
    }
    expect(lease.current()?.transitions).toBe(0);
  });

  it('stops leading by itself, before anybody else may begin, when the API server is out of reach', async () => {
    const [a, b] = [elector('a'), elector('b')];
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

  it('gives the lease back when it stops, so that the next one leads within a retry', async () => {
    const [a, b] = [elector('a'), elector('b')];
    await a.start();
    await b.start();
    await a.stop();
    await pass(clock, 2);
    expect([a.isLeader(), b.isLeader()]).toEqual([false, true]);
  });

  it('asks no clock but its own whether a lease has run out', async () => {
    const skewed: Clock = { now: () => clock.now() + 86_400_000, after: clock.after };
    const [a, b] = [elector('a'), elector('b', skewed)];
    await a.start();
    await b.start();
    await pass(clock, 60);
    expect([a.isLeader(), b.isLeader()]).toEqual([true, false]);
  });

  it('waits an hour at most for a holder that wrote nonsense into the lease', async () => {
    await lease.port('x').write(undefined, {
      holder: 'gone',
      durationSeconds: 2 ** 31 - 1,
      transitions: 0,
      acquiredAt: 0,
    });
    const a = elector('a');
    await a.start();
    clock.advance(3_590_000);
    await settled();
    expect(a.isLeader()).toBe(false);
    await pass(clock, 15);
    expect(a.isLeader()).toBe(true);
  });

  it('never has two leaders, whoever is cut off and for how long', async () => {
    const step = fc.record({
      who: fc.constantFrom('a', 'b', 'c'),
      cut: fc.boolean(),
      seconds: fc.integer({ min: 0, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        lease = createLease();
        const three = ['a', 'b', 'c'].map((identity) => elector(identity));
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
