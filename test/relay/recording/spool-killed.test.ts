import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { createJournalFiles } from '@porthole/relay/recording/journal-files';
import { chunkName, indexName } from '@porthole/shared/recording/names';
import { eventually } from '../../eventually.ts';
import { contentOf, problemsOf } from '../../shared/recording/sample-recording.ts';
import { flushMs, gatherMs, observedFiles, restart } from './journal-harness.ts';
import { away, isEmpty, mebibyte, spoolHarness, textOf } from './spool-harness.ts';

const harness = spoolHarness();

test('a drain that does not finish in time leaves the rest to the next process, also without a last write', async () => {
  const { openSpool, record, hold, clock, spoolDirectory, read } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const release = hold();
  recorder.screen(Buffer.from('kept '));
  clock.advance(flushMs + gatherMs);
  recorder.screen(Buffer.from('and cut'));
  recorder.end('drained');
  const drained = spool.drain(3000);
  clock.advance(3000);
  release();
  expect(await drained).toBe(2);
  expect(clock.pending()).toBe(0);

  // The process was killed while it wrote, and other files are not the spool's.
  const [file = ''] = await readdir(spoolDirectory);
  const path = join(spoolDirectory, file);
  const size = (await createJournalFiles(spoolDirectory).readAll(1)).length;
  await truncate(path, size - 3);
  await writeFile(join(spoolDirectory, 'lost+found'), '');
  const directory = await restart(harness());
  const items = await read(recorder.address.recording);
  expect(textOf(items)).toContain('kept ');
  expect(problemsOf(items)).toEqual([]);
  expect(await readdir(directory)).toEqual(['lost+found']);
});

test('what a killed process left never replaces a longer version in the storage', async () => {
  const { openSpool, record, clock, read, storage } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  recorder.screen(Buffer.from('on the disk'));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().memoryBytes === 0);
  // The next process has stored it, and was killed before its journal knew.
  await restart(harness());
  const name = chunkName(recorder.address, 0);
  const stored = await storage.get(name);
  await storage.put(name, Buffer.concat([stored, Buffer.from('longer')]));
  await restart(harness());
  expect((await storage.get(name)).length).toBe(stored.length + 6);
  expect(textOf(await read(recorder.address.recording))).toBe('on the disk');
});

test('a chunk never survives a killed process without the one before', async () => {
  const { openSpool, record, clock, hold, read } = harness();
  const spool = await openSpool({ memoryBytes: 2 * mebibyte });
  const recorder = await record(spool);
  const release = hold();
  // The first chunk is complete, and the second one needs more than half of the memory.
  recorder.screen(randomBytes(1_300_000));
  clock.advance(gatherMs);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 1_000_000);
  release();
  await restart(harness());
  const items = await read(recorder.address.recording);
  expect(problemsOf(items)).toEqual([]);
  recorder.end('closed');
  await isEmpty(spool);
});

test('an old index in the journal never replaces a later one, although its release was not written', async () => {
  const { openSpool, record, clock, fail, storage, spoolDirectory } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  fail(away());
  recorder.screen(randomBytes(600_000));
  clock.advance(flushMs + gatherMs);
  await eventually('the storage fails', () => spool.state() === 'failing');
  recorder.screen(randomBytes(600_000));
  clock.advance(flushMs + gatherMs);
  await eventually('all is on the disk', () => spool.usage().diskBytes > 1_200_000);
  // The journal as it is now, and then the recording ends.
  const directory = await mkdtemp(`${spoolDirectory}-`);
  await cp(spoolDirectory, directory, { recursive: true });
  fail(undefined);
  recorder.end('closed');
  await eventually('all is stored', () => {
    clock.advance(30_000);
    return spool.usage().objects === 0;
  });
  const name = indexName(recorder.address);
  const before = await storage.get(name);
  await isEmpty(await openSpool({ files: createJournalFiles(directory) }));
  expect((await storage.get(name)).equals(before)).toBe(true);
});

test('whenever a process is killed, the next one stores all but the last flush interval of each part', async () => {
  const step = fc.record({
    part: fc.nat(2),
    bytes: fc.oneof(fc.nat(50), fc.integer({ min: 200_000, max: 700_000 })),
    advanceMs: fc.constantFrom(0, 0, 1000, flushMs, 40_000),
    isAway: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const { openSpool, record, fail, clock, read } = harness();
      fail(undefined);
      const { files, observed, kill } = observedFiles(harness());
      const spool = await openSpool({ files });
      const recorders = await Promise.all([0, 1, 2].map(() => record(spool)));
      const written: Buffer[][] = [[], [], []];
      for (const { part, bytes, advanceMs, isAway } of steps) {
        fail(isAway ? away() : undefined);
        const data = randomBytes(bytes);
        recorders[part]?.screen(data);
        written[part]?.push(data);
        clock.advance(advanceMs);
        await new Promise(setImmediate);
      }
      clock.advance(flushMs);
      await new Promise(setImmediate);
      let writes = 0;
      let quietRounds = 0;
      await eventually('what was flushed is safe', () => {
        clock.advance(gatherMs / 4);
        quietRounds = observed.writes === writes ? quietRounds + 1 : 0;
        writes = observed.writes;
        return quietRounds > 8 && spool.usage().memoryBytes < 10_000;
      });
      for (const recorder of recorders) recorder.screen(Buffer.from('lost'));
      await kill();
      fail(undefined);
      await restart(harness());
      for (const [part, { address }] of recorders.entries()) {
        const items = await read(address.recording);
        expect(problemsOf(items)).toEqual([]);
        const found = contentOf(items).flatMap((record) => (record.type === 'screen' ? [record.bytes] : []));
        expect(Buffer.concat(found).equals(Buffer.concat(written[part] ?? []))).toBe(true);
      }
    }),
    { numRuns: 15 },
  );
}, 60_000);
