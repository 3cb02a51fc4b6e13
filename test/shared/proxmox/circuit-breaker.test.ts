import { createCircuitBreaker } from '@porthole/shared/proxmox/circuit-breaker';
import { createFakeClock } from '../../fakes/clock.ts';

class Unavailable extends Error {}
class Rejected extends Error {}

function aBreaker(jitter = 0) {
  const clock = createFakeClock();
  const changes: string[] = [];
  const breaker = createCircuitBreaker({
    clock,
    random: (size) => Buffer.alloc(size, jitter),
    isFailure: (error) => error instanceof Unavailable,
    createRejection: () => new Rejected(),
    onChange: (state) => changes.push(state),
  });
  let attempts = 0;
  const run = (outcome: () => Promise<unknown>) =>
    breaker
      .run(() => {
        attempts++;
        return outcome();
      })
      .then(
        () => 'worked',
        (error: unknown) => (error instanceof Rejected ? 'rejected' : 'failed'),
      );
  return {
    clock,
    changes,
    breaker,
    run,
    fails: () => run(() => Promise.reject(new Unavailable())),
    works: () => run(() => Promise.resolve()),
    attempts: () => attempts,
  };
}

async function open(one: ReturnType<typeof aBreaker>): Promise<void> {
  for (let i = 0; i < 3; i++) await one.fails();
}

describe('the circuit of a host', () => {
  test('opens for a few seconds after three failures in a row, and rejects work at once', async () => {
    const one = aBreaker();
    await open(one);
    expect(one.breaker.state()).toBe('open');
    one.clock.advance(3749);
    expect(await one.works()).toBe('rejected');
    expect(one.attempts()).toBe(3);
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
  });

  test('stays closed after errors that are not failures of the host', async () => {
    const one = aBreaker();
    for (let i = 0; i < 9; i++) await one.run(() => Promise.reject(new Error('permission')));
    expect(one.breaker.state()).toBe('closed');
  });

  test('allows one attempt after the pause, which closes it', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(3750);
    expect(one.breaker.state()).toBe('half_open');
    const probe = Promise.withResolvers<void>();
    const first = one.run(() => probe.promise);
    expect(await one.works()).toBe('rejected');
    probe.resolve();
    expect(await first).toBe('worked');
    expect(await one.works()).toBe('worked');
    expect(one.changes).toEqual(['open', 'closed']);
  });

  test('stays open for another pause if that attempt fails, and does not report it', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(3750);
    expect(await one.fails()).toBe('failed');
    expect(await one.works()).toBe('rejected');
    one.clock.advance(3750);
    expect(await one.works()).toBe('worked');
    expect(one.changes).toEqual(['open', 'closed']);
  });

  test('allows another attempt if that attempt is cancelled', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(3750);
    expect(await one.run(() => Promise.reject(new Error('cancelled')))).toBe('failed');
    expect(await one.works()).toBe('worked');
  });

  test('does not pause for longer because of attempts that started before', async () => {
    const one = aBreaker();
    const late = Promise.withResolvers<void>();
    const slow = one.run(() => late.promise);
    await open(one);
    one.clock.advance(3000);
    late.reject(new Unavailable());
    expect(await slow).toBe('failed');
    one.clock.advance(750);
    expect(await one.works()).toBe('worked');
  });

  test('has a pause of random length', async () => {
    const one = aBreaker(255);
    await open(one);
    one.clock.advance(6249);
    expect(await one.works()).toBe('rejected');
    one.clock.advance(1);
    expect(await one.works()).toBe('worked');
  });
});
