import fc from 'fast-check';
import { chunkName, indexName, type PartAddress } from '@porthole/shared/recording/names';
import { markNames, type RecordingRecord } from '@porthole/shared/recording/record/record';
import { contentOf, problemsOf, readAll, recordsOf, sampleWriter } from './sample-recording.ts';

const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });
const size = { width: fc.integer({ min: 0, max: 65_535 }), height: fc.integer({ min: 0, max: 65_535 }) };
/** Bytes that do not compress, made from a seed, because generating them one by one takes long. */
const large = fc
  .tuple(fc.integer({ min: 1, max: 80_000 }), fc.integer({ min: 1, max: 0x7fff_ffff }))
  .map(([length, seed]) => {
    let state = seed;
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      bytes[i] = state >>> 16;
    }
    return bytes;
  });

const anyRecord: fc.Arbitrary<RecordingRecord> = fc.oneof(
  { weight: 6, arbitrary: bytes(300).map((bytes) => ({ type: 'screen' as const, bytes })) },
  large.map((bytes) => ({ type: 'screen' as const, bytes })),
  fc.record({ type: fc.constant('keyframe' as const), ...size, bytes: large }),
  fc.record({ type: fc.constant('init' as const), bytes: bytes(100) }),
  fc.record({ type: fc.constant('format' as const), bytes: bytes(16) }),
  fc.record({ type: fc.constant('resize' as const), ...size }),
  fc.record({
    type: fc.constant('terminal' as const),
    code: fc.constantFrom('o' as const, 'r' as const, 'i' as const, 'm' as const),
    bytes: bytes(200),
  }),
  fc.constantFrom({ type: 'key' as const }, { type: 'pointer' as const }),
  fc.record({ type: fc.constant('keyValue' as const), bytes: bytes(5) }),
  fc.record({
    type: fc.constant('clipboard' as const),
    direction: fc.constantFrom('in' as const, 'out' as const),
    text: fc.string({ unit: 'grapheme', maxLength: 2000 }),
  }),
  fc.record({
    type: fc.constant('observer' as const),
    joined: fc.boolean(),
    user: fc.string({ unit: 'grapheme' }),
  }),
  fc.record({
    type: fc.constant('mark' as const),
    name: fc.constantFrom(...markNames),
    text: fc.string({ unit: 'grapheme' }),
  }),
);

const step = fc.record({
  /** Milliseconds by which each clock moves before the record, in either direction. */
  elapsed: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: -1e9, max: 90_000 })),
  wall: fc.integer({ min: -1e11, max: 1e11 }),
  record: anyRecord,
  flush: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What `contentOf` makes of the records that were written. */
function writtenContent(steps: readonly Step[]): RecordingRecord[] {
  const records = steps.map(({ record }) => ({ timeMs: 0, record }));
  return contentOf([{ kind: 'chunk', part: '', chunk: 0, records }]);
}

function write(steps: readonly Step[]): { objects: Map<string, Buffer>; address: PartAddress } {
  const objects = new Map<string, Buffer>();
  const { writer, clock, address, finish } = sampleWriter(objects);
  for (const { elapsed, wall, record, flush } of steps) {
    clock.monotonicMs += elapsed;
    clock.wallMs += wall;
    writer.record(record);
    if (flush) writer.flush();
  }
  finish();
  return { objects, address };
}

test('anything that is written is read back, whatever the clocks do, and times never decrease', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { objects, address } = write(steps);
      const items = await readAll(objects, address.recording);
      expect(problemsOf(items)).toEqual([]);
      expect(contentOf(items)).toEqual(writtenContent(steps));
      const times = recordsOf(items).map(({ timeMs }) => timeMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      const forward = steps.reduce((sum, { elapsed }) => sum + Math.max(0, elapsed), 0);
      expect(times.at(-1)).toBe(forward);
      expect(recordsOf(items)[1]?.record.type).toBe('about');
      expect(recordsOf(items).at(-1)?.record).toEqual({ type: 'end', reason: 'closed' });
      for (const [name, object] of objects) {
        if (name !== indexName(address)) expect(object.length).toBeLessThan(1024 * 1024 + 40 * 25 + 300);
      }
    }),
    { numRuns: 20 },
  );
}, 30_000);

/** A recording of a few chunks. */
function someChunks() {
  const objects = new Map<string, Buffer>();
  const { writer, clock, address, finish } = sampleWriter(objects);
  for (let i = 0; i < 3; i++) {
    clock.monotonicMs += 61_000;
    writer.screen(Buffer.from(`chunk ${i}`));
    writer.flush();
    writer.record({ type: 'key' });
    writer.terminalOutput(Buffer.from(`more of ${i}\n`.repeat(20)));
    writer.flush();
  }
  finish();
  return { objects, address };
}

const chunksOf = (objects: ReadonlyMap<string, Buffer>) =>
  [...objects.keys()].filter((name) => !name.endsWith('index')).sort();

test('a recording with any single flipped bit is reported, and all records of other chunks are read', async () => {
  const { objects, address } = someChunks();
  const intact = await readAll(objects, address.recording);
  expect(problemsOf(intact)).toEqual([]);
  const names = [...objects.keys()].sort();
  await fc.assert(
    fc.asyncProperty(fc.nat(names.length - 1), fc.nat(), async (which, position) => {
      const name = names[which] ?? '';
      const altered = Buffer.from(objects.get(name) ?? Buffer.alloc(0));
      const bit = position % (altered.length * 8);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const items = await readAll(new Map(objects).set(name, altered), address.recording);
      const problems = problemsOf(items);
      expect(problems).toHaveLength(1);
      if (name === indexName(address)) {
        expect(['damaged_index', 'unknown_key']).toContain(problems[0]?.kind);
        expect(recordsOf(items)).toEqual(recordsOf(intact));
        return;
      }
      const chunk = Number(name.slice(-6));
      expect(problems[0]).toMatchObject({ part: address.part, chunk });
      expect(['damaged_chunk', 'truncated_chunk', 'misplaced_chunk']).toContain(problems[0]?.kind);
      const others = (all: typeof items) =>
        all.filter((item) => item.kind === 'chunk' && item.chunk !== chunk);
      expect(others(items)).toEqual(others(intact));
    }),
    { numRuns: 200 },
  );
}, 30_000);

test('a removed, repeated, swapped or truncated chunk is reported by name', async () => {
  const { objects, address } = someChunks();
  const names = chunksOf(objects);
  const last = names.length - 1;
  const get = (chunk: number) => objects.get(names[chunk] ?? '') ?? Buffer.alloc(0);
  const problemsWith = async (changed: Map<string, Buffer>) =>
    problemsOf(await readAll(changed, address.recording));
  await fc.assert(
    fc.asyncProperty(fc.nat(last), fc.nat(last), fc.nat(), async (one, other, cut) => {
      const { part } = address;
      const removed = new Map(objects);
      removed.delete(names[one] ?? '');
      expect(await problemsWith(removed)).toEqual([{ kind: 'missing_chunk', part, chunk: one }]);

      const length = cut % get(one).length;
      const truncated = new Map(objects).set(names[one] ?? '', get(one).subarray(0, length));
      expect(await problemsWith(truncated)).toEqual([{ kind: 'truncated_chunk', part, chunk: one }]);

      if (one === other) return;
      const repeated = new Map(objects).set(names[other] ?? '', get(one));
      expect(await problemsWith(repeated)).toEqual([{ kind: 'misplaced_chunk', part, chunk: other }]);

      const swapped = new Map(repeated).set(names[one] ?? '', get(other));
      expect(await problemsWith(swapped)).toEqual(
        [one, other].toSorted((a, b) => a - b).map((chunk) => ({ kind: 'misplaced_chunk', part, chunk })),
      );
    }),
    { numRuns: 50 },
  );
}, 30_000);

test('a part whose relay was killed reads to its last flush, wherever its last chunk was cut', async () => {
  const objects = new Map<string, Buffer>();
  const { writer, clock, address } = sampleWriter(objects);
  objects.set(indexName(address), writer.index());
  const name = chunkName(address, 0);
  const flushedAt: number[] = [];
  for (let i = 0; i < 8; i++) {
    clock.monotonicMs += 5000;
    writer.record({ type: 'mark', name: 'note', text: String(i) });
    writer.flush();
    flushedAt.push(objects.get(name)?.length ?? 0);
  }
  const complete = objects.get(name) ?? Buffer.alloc(0);
  await fc.assert(
    fc.asyncProperty(fc.nat(complete.length), async (length) => {
      const items = await readAll(
        new Map(objects).set(name, complete.subarray(0, length)),
        address.recording,
      );
      expect(problemsOf(items)).toEqual([]);
      const flushes = flushedAt.filter((at) => at <= length).length;
      expect(contentOf(items).map((record) => (record.type === 'mark' ? record.text : ''))).toEqual(
        Array.from({ length: flushes }, (_, i) => String(i)),
      );
    }),
    { numRuns: 200 },
  );
}, 30_000);
