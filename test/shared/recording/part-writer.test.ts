import { createHash, randomBytes } from 'node:crypto';
import { readIndex, readSummary } from '@porthole/shared/recording/read/read-index';
import {
  chunkName,
  createRecordingId,
  dayPrefix,
  indexName,
  parseObjectName,
  startOf,
} from '@porthole/shared/recording/names';
import { createPartWriter } from '@porthole/shared/recording/write/part-writer';
import {
  contentOf,
  facts,
  memoryStorage,
  newAddress,
  problemsOf,
  readAll,
  recordingKeys,
  recordsOf,
  sampleWriter,
  startedAt,
} from './sample-recording.ts';

function sample(settings: Parameters<typeof sampleWriter>[3] = {}) {
  const memory = memoryStorage();
  return {
    ...memory,
    deps: { storage: memory.storage, keys: recordingKeys },
    ...sampleWriter(memory.objects, undefined, undefined, settings),
  };
}

const chunkNumbers = (objects: ReadonlyMap<string, Buffer>) =>
  [...objects.keys()].map((name) => parseObjectName(name)).filter((found) => found?.kind === 'chunk').length;

test('a recording id begins with its start and names nothing else', () => {
  const id = createRecordingId(startedAt, (size) => Buffer.alloc(size, 7));
  expect(id).toBe(`20260105-083000-${'07'.repeat(16)}`);
  expect(startOf(id)).toBe(startedAt);
  expect(id.startsWith(dayPrefix(startedAt))).toBe(true);
});

test('a chunk ends after 60 s, at 1 MiB, at a keyframe, and at a flush from the given size on', () => {
  const { objects, writer, clock } = sample({ endAtFlushBytes: 128 * 1024 });
  const noise = () => randomBytes(16_384);
  clock.monotonicMs += 59_999;
  writer.screen(Buffer.from('still in the first chunk'));
  writer.flush();
  expect(chunkNumbers(objects)).toBe(1);
  clock.monotonicMs += 1;
  writer.flush();
  writer.screen(Buffer.from('in the second'));
  writer.flush();
  expect(chunkNumbers(objects)).toBe(2);
  writer.record({ type: 'keyframe', width: 1, height: 1, bytes: Buffer.from('picture') });
  writer.flush();
  expect(chunkNumbers(objects)).toBe(3);
  for (let i = 0; i < 10; i++) writer.screen(noise());
  writer.flush();
  writer.flush();
  writer.screen(Buffer.from('in the fourth'));
  writer.flush();
  expect(chunkNumbers(objects)).toBe(4);
  for (let i = 0; i < 64; i++) writer.screen(noise());
  writer.flush();
  expect(chunkNumbers(objects)).toBe(5);
});

test('a flush without new data passes nothing on', () => {
  const { objects, writer, address } = sample();
  writer.flush();
  const size = objects.get(chunkName(address, 0))?.length;
  writer.flush();
  writer.flush();
  expect(objects.get(chunkName(address, 0))).toHaveLength(size ?? 0);
});

test('the index tells what a list and a player need, and says so when the part has ended', async () => {
  const { objects, deps, writer, clock, address, finish } = sample();
  writer.record({ type: 'resize', width: 800, height: 600 });
  clock.monotonicMs += 2500;
  clock.wallMs += 2500;
  writer.screen(Buffer.alloc(1000));
  writer.record({ type: 'key' });
  writer.record({ type: 'key' });
  writer.record({ type: 'pointer' });
  writer.record({ type: 'observer', joined: true, user: 'ben' });
  writer.record({ type: 'mark', name: 'gap', text: 'storage full' });
  objects.set(indexName(address), writer.index());
  const running = await readSummary(deps, address);
  expect(running.value).toMatchObject({ facts, startedAt, durationMs: 2500, chunks: 0 });
  expect(running.value?.end).toBeUndefined();

  clock.monotonicMs += 1500;
  clock.wallMs += 1500;
  writer.record({ type: 'keyframe', width: 800, height: 600, bytes: Buffer.alloc(10) });
  finish('signed_out');
  const { value } = await readIndex(deps, address);
  expect(value?.summary).toMatchObject({
    durationMs: 4000,
    end: { at: startedAt + 4000, reason: 'signed_out' },
    chunks: 2,
    gaps: 1,
    storedBytes: [0, 1].reduce(
      (sum, chunk) => sum + (objects.get(chunkName(address, chunk))?.length ?? 0),
      0,
    ),
  });
  expect(value?.details).toMatchObject({
    activity: { bucketSeconds: 1, bytes: [0, 0, 1000], keys: [0, 0, 2], pointer: [0, 0, 1] },
    chunks: {
      stride: 1,
      entries: [
        [0, 0],
        [4000, 1],
      ],
    },
    keyframes: { stride: 1, entries: [[4000, 1]] },
    resizes: [[0, 800, 600]],
    observers: [[2500, true, 'ben']],
    marks: [[2500, 'gap', 'storage full']],
  });
  expect(await readSummary(deps, address)).toEqual({ value: value?.summary });
});

test('the index of a long busy session stays below 100 KiB, and its summary below 4 KiB', async () => {
  const { objects, deps, writer, clock, address, finish } = sample();
  for (let second = 0; second < 12 * 3600; second += 2) {
    clock.monotonicMs += 2000;
    writer.screen(Buffer.alloc(second % 977, second));
    writer.record({ type: 'key' });
    if (second % 60 === 0) writer.record({ type: 'keyframe', width: 8, height: 8, bytes: Buffer.alloc(100) });
    if (second % 20 === 0) writer.record({ type: 'resize', width: second % 1000, height: 600 });
    objects.clear();
  }
  finish();
  expect(objects.get(indexName(address))?.length).toBeLessThan(100 * 1024);
  const { value } = await readIndex(deps, address);
  expect(value?.details.activity.bucketSeconds).toBe(16);
  expect(value?.details.omittedEvents).toBeGreaterThan(0);
  const small = { ...deps.storage, get: (name: string) => deps.storage.get(name, { maxBytes: 4096 }) };
  expect((await readSummary({ ...deps, storage: small }, address)).value?.chunks).toBe(value?.summary.chunks);
});

test('a session that goes on at another relay is one recording of two parts', async () => {
  const { objects, writer, address, finish } = sample();
  writer.screen(Buffer.from('first'));
  finish();
  const next = sampleWriter(objects, { ...newAddress(2), recording: address.recording });
  next.writer.screen(Buffer.from('second'));
  next.finish();
  const items = await readAll(objects, address.recording);
  expect(problemsOf(items)).toEqual([]);
  expect(items.filter((item) => item.kind === 'part').map(({ part }) => part)).toEqual([
    address.part,
    next.address.part,
  ]);

  for (const name of objects.keys()) if (name.includes(address.part)) objects.delete(name);
  expect(problemsOf(await readAll(objects, address.recording))).toEqual([{ kind: 'missing_part' }]);
});

test('a recording is read with the key that sealed it after the keys were rotated, and is unknown without it', async () => {
  const { objects, writer, address, finish } = sample();
  writer.screen(Buffer.from('picture'));
  finish();
  const rotated = () => ['n'.repeat(40), ...recordingKeys()];
  expect(problemsOf(await readAll(objects, address.recording, rotated))).toEqual([]);
  const dropped = await readAll(objects, address.recording, () => ['n'.repeat(40)]);
  expect(recordsOf(dropped)).toEqual([]);
  expect(problemsOf(dropped).map(({ kind }) => kind)).toEqual(['unknown_key', 'unknown_key']);
});

test('an object of another recording in place of a chunk is misplaced', async () => {
  const [one, other] = [sample(), sample()];
  for (const { writer, finish } of [one, other]) {
    writer.screen(Buffer.from('picture'));
    finish();
  }
  one.objects.set(
    chunkName(one.address, 0),
    other.objects.get(chunkName(other.address, 0)) ?? Buffer.alloc(0),
  );
  expect(problemsOf(await readAll(one.objects, one.address.recording))).toMatchObject([
    { kind: 'misplaced_chunk' },
  ]);
});

test('an authentic chunk in place of the one that the next chunk was written after breaks the chain', async () => {
  const address = newAddress();
  const write = (text: string) => {
    const objects = new Map<string, Buffer>();
    let monotonicMs = 0;
    const writer = createPartWriter(
      {
        keys: recordingKeys,
        // The same key for both, which no writer has by chance.
        random: (size) => Buffer.alloc(size, 3),
        monotonicMs: () => monotonicMs,
        wallMs: () => startedAt,
        sink: {
          append: (chunk, pieces) =>
            objects.set(
              chunkName(address, chunk),
              Buffer.concat([objects.get(chunkName(address, chunk)) ?? Buffer.alloc(0), ...pieces]),
            ),
        },
      },
      address,
      facts,
    );
    for (let i = 0; i < 3; i++) {
      writer.screen(Buffer.from(`${text} ${i}`));
      monotonicMs += 61_000;
      writer.flush();
    }
    writer.end('closed');
    return objects.set(indexName(address), writer.index());
  };
  const [objects, others] = [write('one'), write('two')];
  const { part } = address;
  const replaced = (chunk: number) =>
    new Map(objects).set(chunkName(address, chunk), others.get(chunkName(address, chunk)) ?? Buffer.alloc(0));
  expect(problemsOf(await readAll(replaced(0), address.recording))).toEqual([
    { kind: 'broken_chain', part, chunk: 1 },
  ]);
  const lastChunk = 3;
  expect(problemsOf(await readAll(replaced(lastChunk), address.recording))).toMatchObject([
    { kind: 'broken_chain', chunk: lastChunk },
    { kind: 'broken_chain', chunk: lastChunk },
  ]);
});

test('the chain can be checked without a key: each header has the SHA-256 of the object before', () => {
  const { objects, writer, address, clock, finish } = sample();
  writer.screen(Buffer.from('one'));
  clock.monotonicMs += 61_000;
  writer.screen(Buffer.from('two'));
  finish();
  const first = objects.get(chunkName(address, 0)) ?? Buffer.alloc(0);
  const hash = createHash('sha256').update(first).digest();
  // Behind magic, versions, recording id, part name and number, as in docs/recording-format.md.
  expect(objects.get(chunkName(address, 1))?.subarray(73, 105)).toEqual(hash);
});

test('a piece of a record whose beginning was lost is left out', async () => {
  const { objects, writer, address, finish } = sample();
  writer.record({ type: 'mark', name: 'note', text: 'before' });
  writer.record({ type: 'keyframe', width: 1, height: 1, bytes: Buffer.alloc(3_000_000, 1) });
  writer.record({ type: 'mark', name: 'note', text: 'after' });
  finish();
  objects.delete(chunkName(address, 1));
  const items = await readAll(objects, address.recording);
  expect(problemsOf(items)).toEqual([{ kind: 'missing_chunk', part: address.part, chunk: 1 }]);
  expect(contentOf(items)).toMatchObject([{ text: 'before' }, { text: 'after' }]);
});

test('after its end, a writer accepts calls and writes nothing', () => {
  const { objects, writer, finish } = sample();
  finish();
  const sizes = () => [...objects.values()].map(({ length }) => length);
  const before = sizes();
  writer.screen(Buffer.from('late'));
  writer.record({ type: 'key' });
  writer.flush();
  writer.end('again');
  expect(sizes()).toEqual(before);
});
