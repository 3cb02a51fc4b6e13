import fc from 'fast-check';
import { PortholeError } from '@porthole/shared/errors';
import type { Link, LinkHandler } from '@porthole/relay/stream/link';
import { startPump, type Direction, type PumpDeps } from '@porthole/relay/stream/pump';
import { createFakeClock } from '../../fakes/clock.ts';

/** One side in memory: what it was sent waits until the network takes it. */
interface FakeLink extends Link {
  readonly sent: Buffer[];
  readonly paused: boolean;
  /** Something arrives. A side that is paused hands out nothing; what it holds back comes when it is resumed. */
  arrive(text: string | Buffer): void;
  /** The network takes everything that waits, or so many bytes. */
  take(bytes?: number): void;
  leave(): void;
}

function aLink(): FakeLink {
  let handler: LinkHandler | undefined;
  let paused = true;
  let buffered = 0;
  let left = false;
  const held: Buffer[] = [];
  const sent: Buffer[] = [];
  const flush = () => {
    for (;;) {
      const chunk = paused || !handler ? undefined : held.shift();
      if (!chunk) return;
      handler?.bytes(chunk, 0, chunk.length);
    }
  };
  return {
    sent,
    get paused() {
      return paused;
    },
    get buffered() {
      return buffered;
    },
    get framesSent() {
      return sent.length;
    },
    send(source, start = 0, end = source.length) {
      sent.push(Buffer.from(source.subarray(start, end)));
      buffered += end - start;
      return false;
    },
    pause: () => (paused = true),
    resume() {
      paused = false;
      flush();
    },
    handle(next) {
      if (!handler) paused = false;
      handler = next;
      if (left) next.ended();
      else flush();
    },
    destroy() {},
    arrive(text) {
      held.push(Buffer.from(text));
      flush();
    },
    take(bytes = buffered) {
      buffered -= bytes;
      handler?.drained?.();
    },
    leave() {
      left = true;
      handler?.ended();
    },
  };
}

interface End {
  readonly side: string;
  readonly error: PortholeError | undefined;
}

/** A pump with low limits: pause above 100 bytes, go on at 20, stuck after 30 s. */
function aPump(
  different: {
    filter?: (chunk: Buffer) => Buffer[];
    viewerRest?: string;
    machineRest?: string;
    before?: (links: { viewer: FakeLink; machine: FakeLink }) => void;
    limits?: PumpDeps['limits'];
  } = {},
) {
  const clock = createFakeClock();
  const viewer = aLink();
  const machine = aLink();
  const ends: End[] = [];
  const counted = { to_viewer: 0, to_machine: 0 };
  different.before?.({ viewer, machine });
  const pump = startPump({
    clock,
    viewer,
    machine,
    viewerLeftover: () => Buffer.from(different.viewerRest ?? ''),
    machineLeftover: () => Buffer.from(different.machineRest ?? ''),
    filter: { push: different.filter ?? ((chunk) => [chunk]) },
    count: (direction: Direction, bytes) => (counted[direction] += bytes),
    onEnd: (side, error) => ends.push({ side, error }),
    limits: different.limits ?? { pauseBytes: 100, resumeBytes: 20, stuckMs: 30_000 },
  });
  return { clock, viewer, machine, ends, counted, stop: () => pump.stop() };
}

const text = (link: FakeLink) => Buffer.concat(link.sent).toString();

describe('a pump', () => {
  test('carries bytes in both directions, in order, and counts them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.string({ maxLength: 10 }))), (story) => {
        const { viewer, machine, counted, ends, stop } = aPump({
          limits: { pauseBytes: 1e9, resumeBytes: 1, stuckMs: 1 },
        });
        for (const [down, words] of story) (down ? machine : viewer).arrive(words);
        const said = (down: boolean) =>
          story.flatMap(([direction, words]) => (direction === down ? [words] : [])).join('');
        expect([text(viewer), text(machine)]).toEqual([said(true), said(false)]);
        // Small pieces are counted together, the last of them at the end.
        stop();
        expect(counted).toEqual({
          to_viewer: Buffer.byteLength(said(true)),
          to_machine: Buffer.byteLength(said(false)),
        });
        expect(ends).toEqual([]);
      }),
    );
  });

  test('delivers what came behind the handshakes before anything else', () => {
    const { viewer, machine } = aPump({
      viewerRest: 'from the viewer, ',
      machineRest: 'from the machine, ',
      before(links) {
        links.viewer.arrive('and more');
        links.machine.arrive('and more');
      },
    });
    expect(text(viewer)).toBe('from the machine, and more');
    expect(text(machine)).toBe('from the viewer, and more');
  });

  test('passes only what the filter lets through, and sends nothing for nothing', () => {
    const { viewer, machine, counted } = aPump({ filter: (chunk) => (chunk[0] === 0x6b ? [] : [chunk]) });
    viewer.arrive('key');
    viewer.arrive('update');
    expect(text(machine)).toBe('update');
    expect(machine.sent).toHaveLength(1);
    expect(counted.to_machine).toBe(6);
  });
});

describe('a viewer that is slow', () => {
  test('stops the machine above the limit, and lets it go on at the lower one', () => {
    const { viewer, machine } = aPump();
    machine.arrive(Buffer.alloc(100));
    expect(machine.paused).toBe(false);
    machine.arrive(Buffer.alloc(1));
    expect(machine.paused).toBe(true);
    viewer.take(80); // 21 left
    expect(machine.paused).toBe(true);
    viewer.take(1);
    expect(machine.paused).toBe(false);
  });

  test('loses nothing of what was held back meanwhile', () => {
    const { viewer, machine } = aPump();
    const chunks = Array.from({ length: 20 }, (_, index) => Buffer.alloc(60, index));
    for (const chunk of chunks) machine.arrive(chunk);
    while (viewer.buffered > 0) viewer.take();
    expect(Buffer.concat(viewer.sent)).toEqual(Buffer.concat(chunks));
  });

  test('may still type', () => {
    const { viewer, machine } = aPump();
    machine.arrive(Buffer.alloc(200));
    viewer.arrive('key');
    expect(text(machine)).toBe('key');
    expect(viewer.paused).toBe(false);
  });

  test('never makes more wait than the limit and one chunk', () => {
    const chunk = fc.integer({ min: 1, max: 300 });
    const event = fc.oneof(
      chunk.map((bytes) => ({ arrive: bytes })),
      fc.integer({ min: 1, max: 400 }).map((bytes) => ({ take: bytes })),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const { viewer, machine } = aPump();
        for (const step of events) {
          if ('arrive' in step) machine.arrive(Buffer.alloc(step.arrive));
          else viewer.take(Math.min(step.take, viewer.buffered));
          expect(viewer.buffered).toBeLessThanOrEqual(100 + 300);
        }
      }),
    );
  });

  test('is given up when it stays stuck', () => {
    const { clock, viewer, machine, ends } = aPump();
    machine.arrive(Buffer.alloc(200));
    viewer.take(100); // a trickle is not enough
    clock.advance(29_999);
    expect(ends).toEqual([]);
    clock.advance(1);
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'viewer_stalled' } }]);
    expect(clock.pending()).toBe(0);
  });

  test('has its whole time again after it caught up', () => {
    const { clock, viewer, machine, ends } = aPump();
    machine.arrive(Buffer.alloc(200));
    clock.advance(29_999);
    viewer.take();
    expect(clock.pending()).toBe(0);
    machine.arrive(Buffer.alloc(200));
    clock.advance(29_999);
    expect(ends).toEqual([]);
    clock.advance(1);
    expect(ends).toHaveLength(1);
  });
});

describe('a machine that takes no input', () => {
  test('stops the viewer, and ends the console when that lasts', () => {
    const { clock, viewer, machine, ends } = aPump();
    viewer.arrive(Buffer.alloc(101));
    expect(viewer.paused).toBe(true);
    clock.advance(30_000);
    expect(ends).toMatchObject([{ side: 'machine', error: { code: 'console_timeout' } }]);
    machine.take();
  });

  test('lets the viewer go on when it takes it after all', () => {
    const { clock, viewer, machine, ends } = aPump();
    viewer.arrive(Buffer.alloc(101));
    machine.take();
    expect(viewer.paused).toBe(false);
    clock.advance(60_000);
    expect(ends).toEqual([]);
  });
});

describe('the end', () => {
  test('is told with the side that left, once', () => {
    for (const side of ['viewer', 'machine'] as const) {
      const pump = aPump();
      pump[side].leave();
      pump.machine.leave();
      pump.viewer.leave();
      expect(pump.ends).toEqual([{ side, error: undefined }]);
    }
  });

  test('is told when a side had left before the pump took over', () => {
    const { ends } = aPump({ before: ({ machine }) => machine.leave() });
    expect(ends).toEqual([{ side: 'machine', error: undefined }]);
  });

  test('comes with the error of the filter, once, and nothing goes to the machine after it', () => {
    let calls = 0;
    const { viewer, machine, ends, clock } = aPump({
      filter() {
        calls++;
        throw new PortholeError('viewer_protocol', { detail: `call ${calls}` });
      },
    });
    viewer.arrive('x');
    viewer.arrive('y');
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'viewer_protocol', detail: 'call 1' } }]);
    expect(calls).toBe(1);
    expect(machine.sent).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test('comes with an internal error when the filter broke', () => {
    const cause = new TypeError('broken');
    const { viewer, ends } = aPump({
      filter() {
        throw cause;
      },
    });
    viewer.arrive('x');
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'internal', cause } }]);
  });

  test('comes with the error of what a viewer had sent behind its handshake', () => {
    const { ends } = aPump({
      viewerRest: 'x',
      filter() {
        throw new PortholeError('viewer_message_too_big');
      },
    });
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'viewer_message_too_big' } }]);
  });

  test('leaves no timer behind, whatever was stuck', () => {
    const { clock, viewer, machine } = aPump();
    machine.arrive(Buffer.alloc(200));
    viewer.arrive(Buffer.alloc(200));
    expect(clock.pending()).toBe(2);
    viewer.leave();
    expect(clock.pending()).toBe(0);
  });
});

test('a machine that goes on talking after the end is not counted, not sent on, and leaves no timer behind', () => {
  const { viewer, machine, counted, clock } = aPump();
  viewer.leave();
  machine.arrive(Buffer.alloc(1000));
  expect(viewer.sent).toEqual([]);
  expect(counted.to_viewer).toBe(0);
  expect(clock.pending()).toBe(0);
});
