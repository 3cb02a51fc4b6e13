import fc from 'fast-check';
import { createUpdateRateLimiter } from '@porthole/relay/rfb/update-rate-limiter';
import { createFakeClock } from '../../fakes/clock.ts';

type Box = readonly [left: number, top: number, width: number, height: number];

function request(incremental: boolean, [left, top, width, height]: Box): Buffer {
  const message = Buffer.alloc(10);
  message[0] = 3;
  message[1] = incremental ? 1 : 0;
  [left, top, width, height].forEach((value, index) => message.writeUInt16BE(value, 2 + 2 * index));
  return message;
}
const boxOf = (message: Buffer) => [2, 4, 6, 8].map((at) => message.readUInt16BE(at));
const changes = (box: Box = [0, 0, 800, 600]) => request(true, box);
const whole = (box: Box = [0, 0, 800, 600]) => request(false, box);

function pace(perSecond: number) {
  const clock = createFakeClock();
  const passed: { at: number; message: Buffer }[] = [];
  const start = clock.now();
  let border = true;
  const note = (message: Buffer) => passed.push({ at: clock.now() - start, message });
  const updates = createUpdateRateLimiter({
    clock,
    perSecond,
    send(message) {
      if (border) note(message);
      return border;
    },
  });
  return {
    clock,
    passed,
    updates,
    ask(message: Buffer) {
      const now = updates.request(message);
      if (now) note(Buffer.from(now));
      // The memory is lent.
      message.fill(0xff);
    },
    atBorder: (value: boolean) => (border = value),
    times: () => passed.map(({ at }) => at),
  };
}

describe('a paced view', () => {
  test('gets its first picture at once, and then one in its time', () => {
    const { ask, clock, times } = pace(2);
    ask(whole());
    for (let ms = 0; ms < 3000; ms += 50) {
      ask(changes());
      clock.advance(50);
    }
    expect(times()).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000]);
  });

  test('that asks more seldom than it may is never held up', () => {
    const { ask, clock, times } = pace(2);
    for (let round = 0; round < 3; round++) {
      ask(changes());
      clock.advance(800);
    }
    expect(times()).toEqual([0, 800, 1600]);
    expect(clock.pending()).toBe(0);
  });

  test('may be slower than one in a second', () => {
    const { ask, clock, times } = pace(0.2);
    ask(changes());
    ask(changes());
    clock.advance(20_000);
    expect(times()).toEqual([0, 5000]);
  });

  test('loses no request: those for changes become one for all of their regions', () => {
    const { ask, clock, passed } = pace(1);
    ask(changes());
    ask(changes([10, 20, 30, 40]));
    ask(changes([100, 0, 10, 10]));
    clock.advance(5000);
    expect(passed).toHaveLength(2);
    expect([passed[1]?.message[1], ...boxOf(passed[1]?.message ?? Buffer.alloc(10))]).toEqual([
      1, 10, 0, 100, 60,
    ]);
  });

  test('gets all of a region before changes, and changes elsewhere after that', () => {
    const { ask, clock, passed } = pace(1);
    ask(changes());
    ask(changes([0, 0, 800, 600]));
    ask(whole([0, 0, 100, 100]));
    clock.advance(5000);
    expect(passed.slice(1).map(({ at, message }) => [at, message[1], ...boxOf(message)])).toEqual([
      [1000, 0, 0, 0, 100, 100],
      [2000, 1, 0, 0, 800, 600],
    ]);
  });

  test('that gets all of a region needs no changes of it', () => {
    const { ask, clock, passed } = pace(1);
    ask(changes());
    ask(whole());
    ask(changes([5, 5, 10, 10]));
    clock.advance(5000);
    expect(passed.slice(1).map(({ message }) => message[1])).toEqual([0]);
  });

  test('waits when it is in the middle of something else, and loses nothing', () => {
    const { ask, clock, times, atBorder } = pace(1);
    ask(changes());
    ask(changes());
    atBorder(false);
    clock.advance(2500);
    expect(times()).toEqual([0]);
    atBorder(true);
    clock.advance(500);
    expect(times()).toEqual([0, 3000]);
  });

  test('says nothing after its end', () => {
    const { ask, clock, times, updates } = pace(1);
    ask(changes());
    ask(changes());
    updates.stop();
    ask(changes());
    clock.advance(10_000);
    expect(times()).toEqual([0]);
    expect(clock.pending()).toBe(0);
  });

  test('never gets more than its pace, and in the end what was asked for last, whatever it asks', () => {
    const anAsk = fc.record({
      wait: fc.integer({ min: 0, max: 700 }),
      incremental: fc.boolean(),
      box: fc.tuple(fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff)),
    });
    fc.assert(
      fc.property(fc.array(anAsk, { maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (asks, perSecond) => {
        const paced = pace(perSecond);
        for (const { wait, incremental, box } of asks) {
          paced.ask(request(incremental, box));
          paced.clock.advance(wait);
        }
        paced.clock.advance(60_000);
        const times = paced.times();
        for (let at = 1; at < times.length; at++)
          expect((times[at] ?? 0) - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(1000 / perSecond);
        // Every request for all of a region is answered by one that passed, then or later, and covers it.
        for (const { incremental, box } of asks) {
          if (incremental) continue;
          const [left, top, width, height] = box;
          const covered = paced.passed.some(({ message }) => {
            const [x = 0, y = 0, w = 0, h = 0] = boxOf(message);
            const right = Math.min(0xffff, left + width);
            const bottom = Math.min(0xffff, top + height);
            return message[1] === 0 && x <= left && y <= top && x + w >= right && y + h >= bottom;
          });
          expect(covered).toBe(true);
        }
        expect(paced.clock.pending()).toBe(0);
      }),
    );
  });
});
