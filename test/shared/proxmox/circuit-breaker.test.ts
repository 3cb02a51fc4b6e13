import { createCircuitBreaker } from '@porthole/shared/proxmox/circuit-breaker';
import fc from 'fast-check';
import { createFakeClock } from '../../fakes/clock.ts';

class Unavailable extends Error {}
class Rejected extends Error {}

/** Lets promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function aBreaker(jitter = 0) {
  const clock = createFakeClock();
  const changes: string[] = [];
  const probes: (PromiseWithResolvers<void> & { readonly signal: AbortSignal })[] = [];
  const breaker = createCircuitBreaker({
    clock,
    random: (size) => Buffer.alloc(size, jitter),
    probe(signal) {
      const probe = { ...Promise.withResolvers<void>(), signal };
      signal.addEventListener('abort', () => probe.reject(new Error('aborted')));
      probes.push(probe);
      return probe.promise;
    },
    isFailure: (error) => error instanceof Unavailable,
    createRejection: () => new Rejected(),
    onChange: (state) => changes.push(state),
  });
  let attempts = 0;
  const run = (outcome: () => Promise<unknown>, signal?: AbortSignal) =>
    breaker
      .run(() => {
        attempts++;
        return outcome();
      }, signal)
      .then(
        () => 'worked',
        (error: unknown) => (error instanceof Rejected ? 'rejected' : 'failed'),
      );
  return {
    clock,
    changes,
    breaker,
    probes,
    run,
    fails: () => run(() => Promise.reject(new Unavailable())),
    works: (signal?: AbortSignal) => run(() => Promise.resolve(), signal),
    attempts: () => attempts,
    async failProbe() {
      probes.at(-1)?.reject(new Unavailable());
      await settle();
    },
    async passProbe() {
      probes.at(-1)?.resolve();
      await settle();
    },
  };
}

async function open(one: ReturnType<typeof aBreaker>): Promise<void> {
  for (let i = 0; i < 3; i++) await one.fails();
}

describe('the circuit of a host', () => {
  test('opens after three failures in a row, and rejects work at once until the first probe', async () => {
    const one = aBreaker();
    await open(one);
    expect(one.breaker.state()).toBe('open');
    one.clock.advance(749);
    expect(await one.works()).toBe('rejected');
    expect(one.attempts()).toBe(3);
    expect(one.probes).toHaveLength(0);
  });

  test('stays closed if an attempt succeeds now and then', async () => {
    const one = aBreaker();
    for (let i = 0; i < 5; i++) {
      await one.fails();
      await one.fails();
      expect(await one.works()).toBe('worked');
    }
    expect(one.breaker.state()).toBe('closed');
    expect(one.changes).toEqual([]);
    expect(one.clock.pending()).toBe(0);
  });

  test('stays closed after errors that are not failures of the host', async () => {
    const one = aBreaker();
    for (let i = 0; i < 9; i++) await one.run(() => Promise.reject(new Error('permission')));
    expect(one.breaker.state()).toBe('closed');
  });

  test('closes by a probe in the background, without any work', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(750);
    expect(one.breaker.state()).toBe('half_open');
    await one.passProbe();
    expect(one.breaker.state()).toBe('closed');
    expect(one.changes).toEqual(['open', 'closed']);
    expect(one.clock.pending()).toBe(0);
    expect(await one.works()).toBe('worked');
  });

  test('lets all work wait for the running probe, and runs it if the probe succeeds', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(750);
    const waiting = [one.works(), one.works(), one.works()];
    await settle();
    expect(one.attempts()).toBe(3);
    await one.passProbe();
    expect(await Promise.all(waiting)).toEqual(['worked', 'worked', 'worked']);
    expect(one.probes).toHaveLength(1);
  });

  test('rejects the work that waits for a probe if the probe fails, and does not report that again', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(750);
    const waiting = one.works();
    await one.failProbe();
    expect(await waiting).toBe('rejected');
    expect(one.breaker.state()).toBe('open');
    expect(one.changes).toEqual(['open']);
  });

  test('rejects work whose deadline passes during the probe, which continues', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(750);
    const deadline = new AbortController();
    const waiting = one.works(deadline.signal);
    deadline.abort();
    expect(await waiting).toBe('rejected');
    expect(await one.works(AbortSignal.abort())).toBe('rejected');
    await one.passProbe();
    expect(one.changes).toEqual(['open', 'closed']);
  });

  test('is probed after pauses that double up to a few seconds', async () => {
    const one = aBreaker();
    await open(one);
    for (const pause of [750, 1500, 3000, 3750, 3750, 3750]) {
      const before = one.probes.length;
      one.clock.advance(pause - 1);
      expect(one.probes).toHaveLength(before);
      one.clock.advance(1);
      expect(one.probes).toHaveLength(before + 1);
      await one.failProbe();
    }
  });

  test('is probed after pauses of random length', async () => {
    const one = aBreaker(255);
    await open(one);
    one.clock.advance(1249);
    expect(one.probes).toHaveLength(0);
    one.clock.advance(1);
    expect(one.probes).toHaveLength(1);
  });

  test('is no longer probed in the background after ten minutes without work; the next work waits for a probe', async () => {
    const one = aBreaker();
    await open(one);
    for (let second = 0; second < 620; second++) {
      one.clock.advance(1000);
      await one.failProbe();
    }
    const probed = one.probes.length;
    one.clock.advance(3_600_000);
    expect(one.probes).toHaveLength(probed);
    expect(one.clock.pending()).toBe(0);
    const work = one.works();
    expect(one.probes).toHaveLength(probed + 1);
    await one.passProbe();
    expect(await work).toBe('worked');
  });

  test('closes by work that started before it opened, which ends the probe', async () => {
    const one = aBreaker();
    const late = Promise.withResolvers<void>();
    const slow = one.run(() => late.promise);
    await open(one);
    one.clock.advance(750);
    late.resolve();
    expect(await slow).toBe('worked');
    expect(one.probes[0]?.signal.aborted).toBe(true);
    expect(one.breaker.state()).toBe('closed');
    expect(one.clock.pending()).toBe(0);
  });

  test('is not changed by the failure of work that started before it opened', async () => {
    const one = aBreaker();
    const late = Promise.withResolvers<void>();
    const slow = one.run(() => late.promise);
    await open(one);
    one.clock.advance(700);
    late.reject(new Unavailable());
    expect(await slow).toBe('failed');
    one.clock.advance(50);
    expect(one.breaker.state()).toBe('half_open');
  });

  test('has neither timer nor probe after it was closed down, and rejects work', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(750);
    const waiting = one.works();
    one.breaker.close();
    expect(await waiting).toBe('rejected');
    expect(one.probes[0]?.signal.aborted).toBe(true);
    expect(await one.works()).toBe('rejected');
    expect(one.clock.pending()).toBe(0);
    expect(one.probes).toHaveLength(1);
  });
});

test('whatever happens, there is at most one pause or probe, none while the circuit is closed, and work settles', async () => {
  const event = fc.oneof(
    fc.constant('fails' as const),
    fc.constant('works' as const),
    fc.constant('failProbe' as const),
    fc.constant('passProbe' as const),
    fc.integer({ min: 1, max: 900_000 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
      const one = aBreaker();
      const work: Promise<string>[] = [];
      for (const next of events) {
        if (typeof next === 'number') one.clock.advance(next);
        else if (next === 'fails' || next === 'works') work.push(one[next]());
        else await one[next]();
        await settle();
        const probing = one.breaker.state() === 'half_open' ? 1 : 0;
        expect(one.clock.pending() + probing).toBeLessThanOrEqual(one.breaker.state() === 'closed' ? 0 : 1);
      }
      one.breaker.close();
      await Promise.all(work);
      expect(one.clock.pending()).toBe(0);
    }),
    { numRuns: 150 },
  );
});
