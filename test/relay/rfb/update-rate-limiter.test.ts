import fc from 'fast-check';
import { createUpdateRateLimiter } from '@porthole/relay/rfb/update-rate-limiter';
import { createFakeClock } from '../../fakes/clock.ts';

type Region = readonly [left: number, top: number, width: number, height: number];

function updateRequest(incremental: boolean, [left, top, width, height]: Region): Buffer {
  const message = Buffer.alloc(10);
  message[0] = 3;
  message[1] = incremental ? 1 : 0;
  [left, top, width, height].forEach((value, index) => message.writeUInt16BE(value, 2 + 2 * index));
  return message;
}
const regionOf = (message: Buffer) => [2, 4, 6, 8].map((at) => message.readUInt16BE(at));
const screen: Region = [0, 0, 800, 600];
const incremental = (region = screen) => updateRequest(true, region);
const full = (region = screen) => updateRequest(false, region);

function limit(perSecond: number) {
  const clock = createFakeClock();
  const sent: { at: number; message: Buffer }[] = [];
  const start = clock.now();
  let atMessageBoundary = true;
  const record = (message: Buffer) => sent.push({ at: clock.now() - start, message });
  const limiter = createUpdateRateLimiter({
    clock,
    perSecond,
    send(message) {
      if (atMessageBoundary) record(message);
      return atMessageBoundary;
    },
  });
  return {
    clock,
    sent,
    limiter,
    request(message: Buffer) {
      const now = limiter.request(message);
      if (now) record(Buffer.from(now));
      // The memory is reused.
      message.fill(0xff);
    },
    setMessageBoundary: (value: boolean) => (atMessageBoundary = value),
    times: () => sent.map(({ at }) => at),
  };
}

describe('a limited update rate', () => {
  test('sends the first request at once, and the following ones at the rate', () => {
    const { request, clock, times } = limit(2);
    request(full());
    for (let ms = 0; ms < 3000; ms += 50) {
      request(incremental());
      clock.advance(50);
    }
    expect(times()).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000]);
  });

  test('delays no request of a viewer that stays below it', () => {
    const { request, clock, times } = limit(2);
    for (let round = 0; round < 3; round++) {
      request(incremental());
      clock.advance(800);
    }
    expect(times()).toEqual([0, 800, 1600]);
    expect(clock.pending()).toBe(0);
  });

  test('may be below one per second', () => {
    const { request, clock, times } = limit(0.2);
    request(incremental());
    request(incremental());
    clock.advance(20_000);
    expect(times()).toEqual([0, 5000]);
  });

  test('merges delayed incremental requests into one for all their regions', () => {
    const { request, clock, sent } = limit(1);
    request(incremental());
    request(incremental([10, 20, 30, 40]));
    request(incremental([100, 0, 10, 10]));
    clock.advance(5000);
    expect(sent).toHaveLength(2);
    expect([sent[1]?.message[1], ...regionOf(sent[1]?.message ?? Buffer.alloc(10))]).toEqual([
      1, 10, 0, 100, 60,
    ]);
  });

  test('sends a delayed full request before an incremental one for another region', () => {
    const { request, clock, sent } = limit(1);
    request(incremental());
    request(incremental([0, 0, 800, 600]));
    request(full([0, 0, 100, 100]));
    clock.advance(5000);
    expect(sent.slice(1).map(({ at, message }) => [at, message[1], ...regionOf(message)])).toEqual([
      [1000, 0, 0, 0, 100, 100],
      [2000, 1, 0, 0, 800, 600],
    ]);
  });

  test('drops a delayed incremental request whose region a full one covers', () => {
    const { request, clock, sent } = limit(1);
    request(incremental());
    request(full());
    request(incremental([5, 5, 10, 10]));
    clock.advance(5000);
    expect(sent.slice(1).map(({ message }) => message[1])).toEqual([0]);
  });

  test('keeps a delayed request until a message may begin', () => {
    const { request, clock, times, setMessageBoundary } = limit(1);
    request(incremental());
    request(incremental());
    setMessageBoundary(false);
    clock.advance(2500);
    expect(times()).toEqual([0]);
    setMessageBoundary(true);
    clock.advance(500);
    expect(times()).toEqual([0, 3000]);
  });

  test('sends nothing after it was stopped', () => {
    const { request, clock, times, limiter } = limit(1);
    request(incremental());
    request(incremental());
    limiter.stop();
    request(incremental());
    clock.advance(10_000);
    expect(times()).toEqual([0]);
    expect(clock.pending()).toBe(0);
  });

  test('is never exceeded, and every full request is covered by one that is sent', () => {
    const arbitraryRequest = fc.record({
      waitMs: fc.integer({ min: 0, max: 700 }),
      isIncremental: fc.boolean(),
      region: fc.tuple(fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff)),
    });
    const requests = fc.array(arbitraryRequest, { maxLength: 40 });
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 20 }), (all, perSecond) => {
        const limited = limit(perSecond);
        for (const { waitMs, isIncremental, region } of all) {
          limited.request(updateRequest(isIncremental, region));
          limited.clock.advance(waitMs);
        }
        limited.clock.advance(60_000);
        const times = limited.times();
        for (let at = 1; at < times.length; at++)
          expect((times[at] ?? 0) - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(1000 / perSecond);
        for (const { isIncremental, region } of all) {
          if (isIncremental) continue;
          const [left, top, width, height] = region;
          const covered = limited.sent.some(({ message }) => {
            const [x = 0, y = 0, w = 0, h = 0] = regionOf(message);
            const right = Math.min(0xffff, left + width);
            const bottom = Math.min(0xffff, top + height);
            return message[1] === 0 && x <= left && y <= top && x + w >= right && y + h >= bottom;
          });
          expect(covered).toBe(true);
        }
        expect(limited.clock.pending()).toBe(0);
      }),
    );
  });
});
