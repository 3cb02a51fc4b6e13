import fc from 'fast-check';
import { startMemoryPump, textSentTo } from './memory-pump.ts';

describe('a slow viewer', () => {
  test('pauses the machine above the upper limit, and resumes it at the lower one', () => {
    const { viewer, machine } = startMemoryPump();
    machine.receive(Buffer.alloc(100));
    expect(machine.paused).toBe(false);
    machine.receive(Buffer.alloc(1));
    expect(machine.paused).toBe(true);
    viewer.drain(80); // 21 are left.
    expect(machine.paused).toBe(true);
    viewer.drain(1);
    expect(machine.paused).toBe(false);
  });

  test('loses nothing that was held back while the machine was paused', () => {
    const { viewer, machine } = startMemoryPump();
    const chunks = Array.from({ length: 20 }, (_, index) => Buffer.alloc(60, index));
    for (const chunk of chunks) machine.receive(chunk);
    while (viewer.buffered > 0) viewer.drain();
    expect(Buffer.concat(viewer.sent)).toEqual(Buffer.concat(chunks));
  });

  test('may still send input', () => {
    const { viewer, machine } = startMemoryPump();
    machine.receive(Buffer.alloc(200));
    viewer.receive('key');
    expect(textSentTo(machine)).toBe('key');
    expect(viewer.paused).toBe(false);
  });

  test('never has more buffered than the limit and one chunk', () => {
    const event = fc.oneof(
      fc.integer({ min: 1, max: 300 }).map((bytes) => ({ received: bytes })),
      fc.integer({ min: 1, max: 400 }).map((bytes) => ({ drained: bytes })),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const { viewer, machine } = startMemoryPump();
        for (const step of events) {
          if ('received' in step) machine.receive(Buffer.alloc(step.received));
          else viewer.drain(Math.min(step.drained, viewer.buffered));
          expect(viewer.buffered).toBeLessThanOrEqual(100 + 300);
        }
      }),
    );
  });

  test('ends the stream if it stays above the lower limit for the stall timeout', () => {
    const { clock, viewer, machine, ends } = startMemoryPump();
    machine.receive(Buffer.alloc(200));
    viewer.drain(100); // Still above the lower limit.
    clock.advance(29_999);
    expect(ends).toEqual([]);
    clock.advance(1);
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'viewer_stalled' } }]);
    expect(clock.pending()).toBe(0);
  });

  test('has the full stall timeout again after it caught up', () => {
    const { clock, viewer, machine, ends } = startMemoryPump();
    machine.receive(Buffer.alloc(200));
    clock.advance(29_999);
    viewer.drain();
    expect(clock.pending()).toBe(0);
    machine.receive(Buffer.alloc(200));
    clock.advance(29_999);
    expect(ends).toEqual([]);
    clock.advance(1);
    expect(ends).toHaveLength(1);
  });
});

describe('a machine that reads no input', () => {
  test('pauses the viewer, and ends the stream after the stall timeout', () => {
    const { clock, viewer, machine, ends } = startMemoryPump();
    viewer.receive(Buffer.alloc(101));
    expect(viewer.paused).toBe(true);
    clock.advance(30_000);
    expect(ends).toMatchObject([{ side: 'machine', error: { code: 'console_timeout' } }]);
    machine.drain();
  });

  test('resumes the viewer when it reads again', () => {
    const { clock, viewer, machine, ends } = startMemoryPump();
    viewer.receive(Buffer.alloc(101));
    machine.drain();
    expect(viewer.paused).toBe(false);
    clock.advance(60_000);
    expect(ends).toEqual([]);
  });
});
