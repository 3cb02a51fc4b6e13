import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { encodeForSlab, readSlab } from '@porthole/relay/recording/record-slab';
import { SlabReceiver } from '@porthole/relay/recording/slab-receiver';
import { SlabSender } from '@porthole/relay/recording/slab-sender';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { createFakeClock } from '../../fakes/clock.ts';

type Received = readonly [part: number, timeMs: number, record: RecordingRecord];

const mebibyte = 1024 * 1024;

function createWorld({ maxBytes = 64 * mebibyte } = {}) {
  const clock = createFakeClock();
  const received: Received[] = [];
  const posted: (ArrayBuffer | undefined)[] = [];
  let full = 0;
  let busy = false;
  const waited: number[] = [];
  const sender = new SlabSender({
    clock,
    sendMs: 250,
    monotonicMs: () => clock.now(),
    maxBytes,
    post: (memory) => void posted.push(memory),
    onFull: () => void full++,
    onWaited: (seconds) => void waited.push(seconds),
  });
  let slabs = 0;
  const receiver = new SlabReceiver(
    sender.memory,
    (bytes) => {
      slabs++;
      readSlab(bytes, {
        screen: (part, timeMs, source, start, end) =>
          void received.push([
            part,
            timeMs,
            { type: 'screen', bytes: Buffer.from(source.subarray(start, end)) },
          ]),
        record: (part, timeMs, record) =>
          void received.push([
            part,
            timeMs,
            'bytes' in record ? { ...record, bytes: Buffer.from(record.bytes) } : record,
          ]),
      });
    },
    () => busy,
  );
  return {
    clock,
    sender,
    received,
    posted,
    full: () => full,
    waited,
    setBusy: (next: boolean) => void (busy = next),
    /** Slabs that were taken. */
    slabs: () => slabs,
    look: () => receiver.take(),
    lookAtAll: () => receiver.takeAll(),
    /** The next message arrives. */
    deliver() {
      if (posted.length === 0) return;
      const memory = posted.shift();
      if (memory) receiver.receive(memory);
      else receiver.take();
    },
  };
}

/** Streams can be cut anywhere. */
function joined(records: readonly Received[]): Received[] {
  const all: Received[] = [];
  for (const [part, timeMs, record] of records) {
    const last = all.at(-1);
    if (
      last?.[0] === part &&
      last[1] === timeMs &&
      (record.type === 'screen' || record.type === 'terminal') &&
      last[2].type === record.type
    )
      all[all.length - 1] = [
        part,
        timeMs,
        { ...record, bytes: Buffer.concat([last[2].bytes, record.bytes]) },
      ];
    else all.push([part, timeMs, record]);
  }
  return all;
}

/** The records of each part: those of different parts need no order. */
const byPart = (records: readonly Received[]) => records.toSorted(([a], [b]) => a - b);

/** Comparing long buffers one by one would take minutes. */
const digests = (records: readonly Received[]) =>
  records.map(([part, timeMs, record]) => [
    part,
    timeMs,
    'bytes' in record
      ? [record.type, record.bytes.length, createHash('sha1').update(record.bytes).digest('hex')]
      : record,
  ]);

test('whatever is recorded of several parts arrives complete, in the order of each part and with its times', () => {
  const bytes = fc
    .tuple(fc.integer({ min: 1, max: 600_000 }), fc.nat(255))
    .map(([length, fill]) => Buffer.alloc(length, fill));
  const record: fc.Arbitrary<RecordingRecord> = fc.oneof(
    bytes.map((one) => ({ type: 'screen', bytes: one }) as const),
    bytes.map((one) => ({ type: 'terminal', code: 'o', bytes: one }) as const),
    fc.constant({ type: 'key' } as const),
    fc.string({ maxLength: 300_000 }).map((text) => ({ type: 'clipboard', direction: 'in', text }) as const),
  );
  const step = fc.tuple(fc.nat(3), record, fc.constantFrom('nothing', 'look', 'deliver', 'send'));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (given) => {
      const { sender, received, clock, look, deliver, posted } = createWorld();
      const expected: Received[] = [];
      for (const [index, [part, each, then]] of given.entries()) {
        if (each.type === 'screen') sender.screen(part, index, Buffer.from(each.bytes));
        else if (each.type === 'terminal') sender.terminalOutput(part, index, Buffer.from(each.bytes));
        else sender.add(part, index, encodeForSlab(each));
        expected.push([part, index, each]);
        if (then === 'look') look();
        else if (then === 'deliver') deliver();
        else if (then === 'send') sender.send();
      }
      clock.advance(250);
      while (posted.length > 0) deliver();
      look();
      expect(digests(joined(byPart(received)))).toEqual(digests(joined(byPart(expected))));
      expect(clock.pending()).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test('a record waits a quarter of a second at most, and frames that arrive meanwhile go with it', () => {
  const { sender, clock, look, slabs, posted } = createWorld();
  for (let frame = 0; frame < 100; frame++) sender.screen(1, frame, Buffer.alloc(100));
  clock.advance(249);
  look();
  expect(slabs()).toBe(0);
  clock.advance(1);
  look();
  expect(slabs()).toBe(1);
  clock.advance(10_000);
  look();
  expect(slabs()).toBe(1);
  expect(posted).toEqual([]);
});

test('a large record, such as a keyframe, arrives between those before and behind it', () => {
  const { sender, received, deliver, look } = createWorld();
  const keyframe = (fill: number) =>
    ({ type: 'keyframe', width: 8, height: 6, bytes: Buffer.alloc(700_000, fill) }) as const;
  // Also as the first one, when there is an empty slab.
  for (const fill of [1, 2]) sender.add(1, fill, encodeForSlab(keyframe(fill)));
  sender.screen(1, 3, Buffer.from('behind'));
  sender.send();
  // Looking does not overtake a message that has not arrived.
  look();
  expect(received).toEqual([]);
  deliver();
  deliver();
  expect(digests(received)).toEqual(
    digests([
      [1, 1, keyframe(1)],
      [1, 2, keyframe(2)],
      [1, 3, { type: 'screen', bytes: Buffer.from('behind') }],
    ]),
  );
});

test('a burst makes the consoles that send most wait until the thread has caught up, and loses nothing', () => {
  const { sender, clock, look, full, waited, received, slabs } = createWorld({ maxBytes: 8 * mebibyte });
  const caughtUp: number[] = [];
  const mustWait = (part: number) => sender.mustWait(part, () => void caughtUp.push(part));
  const send = (part: number, kibibytes: number) =>
    sender.screen(part, 0, Buffer.alloc(kibibytes * 1024, part));
  send(1, 3000);
  expect(mustWait(1)).toBe(false);
  send(1, 2000);
  // Behind from here on. What came before does not count.
  expect([mustWait(1), mustWait(2)]).toEqual([false, false]);
  send(1, 200);
  send(2, 200);
  expect([mustWait(1), mustWait(2)]).toEqual([false, false]);
  send(1, 100);
  expect([mustWait(1), mustWait(2)]).toEqual([true, false]);
  // Above three quarters, all wait.
  send(3, 1500);
  expect(mustWait(2)).toBe(true);
  clock.advance(2000);
  expect(caughtUp).toEqual([]);
  look();
  clock.advance(10);
  expect(caughtUp.toSorted((a, b) => a - b)).toEqual([1, 2]);
  expect(waited).toEqual([2.01, 2.01]);
  expect(mustWait(1)).toBe(false);
  expect(full()).toBe(0);
  expect(slabs()).toBeGreaterThan(20);
  const bytes = received.reduce((sum, [, , one]) => sum + ('bytes' in one ? one.bytes.length : 0), 0);
  expect(bytes).toBe(7000 * 1024);
  expect(clock.pending()).toBe(0);
});

test('a thread that is busy with its disk takes nothing but what an order needs, and consoles wait for it', () => {
  const { sender, clock, look, lookAtAll, slabs, setBusy, full } = createWorld({ maxBytes: 8 * mebibyte });
  setBusy(true);
  for (let count = 0; count < 50; count++) sender.screen(1, count, Buffer.alloc(100 * 1024));
  look();
  expect(slabs()).toBe(0);
  let caughtUp = 0;
  sender.screen(1, 50, Buffer.alloc(300 * 1024));
  expect(sender.mustWait(1, () => void caughtUp++)).toBe(true);
  lookAtAll();
  expect(slabs()).toBeGreaterThan(0);
  clock.advance(10);
  expect([caughtUp, full()]).toEqual([1, 0]);
});

test('recordings end if the thread takes nothing for ten seconds, and consoles that wait for it go on', () => {
  const { sender, clock, full, look } = createWorld({ maxBytes: 8 * mebibyte });
  sender.screen(1, 0, Buffer.alloc(5 * mebibyte));
  sender.screen(1, 0, Buffer.alloc(mebibyte));
  let caughtUp = 0;
  expect(sender.mustWait(1, () => void caughtUp++)).toBe(true);
  clock.advance(9980);
  expect([caughtUp, full()]).toEqual([0, 0]);
  clock.advance(30);
  expect([caughtUp, full()]).toEqual([1, 1]);
  expect(sender.mustWait(1, () => {})).toBe(false);
  clock.advance(60_000);
  expect(full()).toBe(1);
  // It does take more, and may be behind again.
  look();
  clock.advance(10);
  sender.screen(1, 0, Buffer.alloc(9 * mebibyte));
  expect(full()).toBe(2);
});

test('a console whose recording ends, or whose thread is lost, does not wait any longer', () => {
  const { sender } = createWorld({ maxBytes: 8 * mebibyte });
  const caughtUp: number[] = [];
  sender.screen(1, 0, Buffer.alloc(7 * mebibyte));
  for (const part of [1, 2]) expect(sender.mustWait(part, () => void caughtUp.push(part))).toBe(true);
  sender.release(1);
  sender.release(1);
  expect(caughtUp).toEqual([1]);
  sender.reset();
  expect(caughtUp).toEqual([1, 2]);
});

test('a slab is used again when it was written and not before, also with more on its way than there is shared memory', () => {
  const { sender, received, posted, deliver, look } = createWorld({ maxBytes: mebibyte });
  const send = (count: number) => {
    sender.screen(1, count, Buffer.from(`s${count}`));
    sender.send();
  };
  for (let sent = 0; sent < 100; sent++) send(sent);
  expect(posted.filter((memory) => memory !== undefined)).toHaveLength(36);
  look();
  expect(received).toHaveLength(64);
  for (let sent = 100; sent < 110; sent++) send(sent);
  expect(posted.filter((memory) => memory !== undefined)).toHaveLength(36);
  while (posted.length > 0) deliver();
  look();
  expect(received.map(([, , one]) => ('bytes' in one ? Buffer.from(one.bytes).toString() : ''))).toEqual(
    Array.from({ length: 110 }, (_, sent) => `s${sent}`),
  );
});

test('a thread that has stopped looking costs no more than the ring, and its recordings end', () => {
  const { sender, full } = createWorld();
  for (let sent = 0; sent < 4100; sent++) {
    sender.add(1, sent, encodeForSlab({ type: 'key' }));
    sender.send();
  }
  expect(full()).toBeGreaterThan(0);
});
