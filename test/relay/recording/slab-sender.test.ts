import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { encodeForSlab, readSlab } from '@porthole/relay/recording/record-slab';
import { bytesOf, markWritten, type SentSlab } from '@porthole/relay/recording/slab-memory';
import { SlabSender } from '@porthole/relay/recording/slab-sender';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { createFakeClock } from '../../fakes/clock.ts';

type Received = readonly [part: number, timeMs: number, record: RecordingRecord];

function createWorld({ maxUnwrittenBytes = Infinity, writes = true } = {}) {
  const clock = createFakeClock();
  const received: Received[] = [];
  let behind = 0;
  let sent = 0;
  const sender: SlabSender = new SlabSender({
    clock,
    sendMs: 250,
    maxUnwrittenBytes,
    post(slab) {
      sent++;
      readSlab(bytesOf(sender.memory, slab), {
        screen: (part, timeMs, bytes) =>
          void received.push([part, timeMs, { type: 'screen', bytes: Buffer.from(bytes) }]),
        record: (part, timeMs, record) =>
          void received.push([
            part,
            timeMs,
            'bytes' in record ? { ...record, bytes: Buffer.from(record.bytes) } : record,
          ]),
      });
      if (writes) markWritten(sender.memory);
    },
    onBehind: () => void behind++,
  });
  return { clock, sender, received, behind: () => behind, sent: () => sent };
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

/** Comparing long buffers one by one would take minutes. */
const digests = (records: readonly Received[]) =>
  records.map(([part, timeMs, record]) => [
    part,
    timeMs,
    'bytes' in record
      ? [record.type, record.bytes.length, createHash('sha1').update(record.bytes).digest('hex')]
      : record,
  ]);

test('whatever is recorded of several parts arrives complete, in order and with its times', () => {
  const bytes = fc
    .tuple(fc.integer({ min: 1, max: 600_000 }), fc.nat(255))
    .map(([length, fill]) => Buffer.alloc(length, fill));
  const record: fc.Arbitrary<RecordingRecord> = fc.oneof(
    bytes.map((one) => ({ type: 'screen', bytes: one }) as const),
    bytes.map((one) => ({ type: 'terminal', code: 'o', bytes: one }) as const),
    fc.constant({ type: 'key' } as const),
    fc.string({ maxLength: 300_000 }).map((text) => ({ type: 'clipboard', direction: 'in', text }) as const),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), record), { maxLength: 12 }), (given) => {
      const { sender, received, clock } = createWorld();
      const expected: Received[] = [];
      for (const [index, [part, each]] of given.entries()) {
        if (each.type === 'screen') sender.screen(part, index, each.bytes);
        else if (each.type === 'terminal') sender.terminalOutput(part, index, each.bytes);
        else sender.add(part, index, encodeForSlab(each));
        expected.push([part, index, each]);
      }
      clock.advance(250);
      expect(digests(joined(received))).toEqual(digests(joined(expected)));
      expect(clock.pending()).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test('a record waits a quarter of a second at most, and frames that arrive meanwhile go with it', () => {
  const { sender, clock, sent } = createWorld();
  for (let frame = 0; frame < 100; frame++) sender.screen(1, frame, Buffer.alloc(100));
  clock.advance(249);
  expect(sent()).toBe(0);
  clock.advance(1);
  expect(sent()).toBe(1);
  clock.advance(10_000);
  expect(sent()).toBe(1);
});

test('a thread that does not keep up is noticed once, and again after it has caught up', () => {
  const { sender, behind } = createWorld({ maxUnwrittenBytes: 1_000_000, writes: false });
  const frame = Buffer.alloc(100_000);
  for (let count = 0; count < 30; count++) sender.screen(1, count, frame);
  expect(behind()).toBe(1);
  sender.reset();
  for (let count = 0; count < 30; count++) sender.screen(1, count, frame);
  expect(behind()).toBe(2);
});

test('a slab is used again when it was written and not before, also with more on its way than there is shared memory', () => {
  const slabs: SentSlab[] = [];
  const sender = new SlabSender({
    clock: createFakeClock(),
    sendMs: 250,
    maxUnwrittenBytes: Infinity,
    post: (sent) => void slabs.push(sent),
    onBehind() {},
  });
  const shown = (sent: SentSlab) => {
    const texts: string[] = [];
    readSlab(bytesOf(sender.memory, sent), {
      screen: (_, __, bytes) => void texts.push(bytes.subarray(0, 4).toString()),
      record() {},
    });
    return texts;
  };
  const send = (text: string) => {
    sender.screen(1, 0, Buffer.from(text.padEnd(100)));
    sender.send();
  };
  for (let sent = 0; sent < 100; sent++) send(`s${sent}`);
  expect(slabs.map((sent) => shown(sent)[0]?.trim())).toEqual(slabs.map((_, sent) => `s${sent}`));
  expect(slabs.filter((sent) => 'memory' in sent)).toHaveLength(36);
  for (let written = 0; written < 70; written++) markWritten(sender.memory);
  for (let sent = 100; sent < 110; sent++) send(`s${sent}`);
  expect(slabs.slice(100).every((sent) => 'slab' in sent)).toBe(true);
  expect(slabs.slice(70).map((sent) => shown(sent)[0]?.trim())).toEqual(
    Array.from({ length: 40 }, (_, sent) => `s${70 + sent}`),
  );
});
