import { createCircuitBreaker } from '@porthole/shared/proxmox/circuit-breaker';
import { createFakeClock } from '../../fakes/clock.ts';

class Away extends Error {}
class Refused extends Error {}

function aBreaker(jitter = 0) {
  const clock = createFakeClock();
  const changes: string[] = [];
  const breaker = createCircuitBreaker({
    clock,
    random: (size) => Buffer.alloc(size, jitter),
    isFailure: (error) => error instanceof Away,
    createRejection: () => new Refused(),
    onChange: (state) => changes.push(state),
  });
  let tries = 0;
  const run = (outcome: () => Promise<unknown>) =>
    breaker
      .run(() => {
        tries++;
        return outcome();
      })
      .then(
        () => 'worked',
        (error: unknown) => (error instanceof Refused ? 'refused' : 'failed'),
      );
  return {
    clock,
    changes,
    breaker,
    run,
    fails: () => run(() => Promise.reject(new Away())),
    works: () => run(() => Promise.resolve()),
    tries: () => tries,
  };
}

async function open(one: ReturnType<typeof aBreaker>): Promise<void> {
  for (let i = 0; i < 3; i++) await one.fails();
}

describe('a host', () => {
  test('that fails three times in a row is left alone for a few seconds, and nobody waits for it', async () => {
    const one = aBreaker();
    await open(one);
    expect(one.breaker.state()).toBe('open');
    one.clock.advance(3749);
    expect(await one.works()).toBe('refused');
    expect(one.tries()).toBe(3);
  });

  test('that answers now and then is not left alone', async () => {
    const one = aBreaker();
    for (let i = 0; i < 5; i++) {
      await one.fails();
      await one.fails();
      expect(await one.works()).toBe('worked');
    }
    expect(one.breaker.state()).toBe('closed');
    expect(one.changes).toEqual([]);
  });

  test('that says no is well', async () => {
    const one = aBreaker();
    for (let i = 0; i < 9; i++) await one.run(() => Promise.reject(new Error('permission')));
    expect(one.breaker.state()).toBe('closed');
  });

  test('is tried by one for all when the pause is over', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(3750);
    expect(one.breaker.state()).toBe('half_open');
    const probe = Promise.withResolvers<void>();
    const first = one.run(() => probe.promise);
    expect(await one.works()).toBe('refused');
    probe.resolve();
    expect(await first).toBe('worked');
    expect(await one.works()).toBe('worked');
    expect(one.changes).toEqual(['open', 'closed']);
  });

  test('that still fails then has another pause, and is no news', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(3750);
    expect(await one.fails()).toBe('failed');
    expect(await one.works()).toBe('refused');
    one.clock.advance(3750);
    expect(await one.works()).toBe('worked');
    expect(one.changes).toEqual(['open', 'closed']);
  });

  test('whose trial was given up is tried again by the next', async () => {
    const one = aBreaker();
    await open(one);
    one.clock.advance(3750);
    expect(await one.run(() => Promise.reject(new Error('the viewer left')))).toBe('failed');
    expect(await one.works()).toBe('worked');
  });

  test('is not left alone for longer because of tries from before the pause', async () => {
    const one = aBreaker();
    const late = Promise.withResolvers<void>();
    const slow = one.run(() => late.promise);
    await open(one);
    one.clock.advance(3000);
    late.reject(new Away());
    expect(await slow).toBe('failed');
    one.clock.advance(750);
    expect(await one.works()).toBe('worked');
  });

  test('is tried at another moment by each relay', async () => {
    const one = aBreaker(255);
    await open(one);
    one.clock.advance(6249);
    expect(await one.works()).toBe('refused');
    one.clock.advance(1);
    expect(await one.works()).toBe('worked');
  });
});
