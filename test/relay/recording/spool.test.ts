import { randomBytes } from 'node:crypto';
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { createSpoolDirectory } from '@porthole/relay/recording/spool-files';
import type { Spool } from '@porthole/relay/recording/spool';
import { chunkName, indexName } from '@porthole/shared/recording/names';
import { decodeObjectHeader } from '@porthole/shared/recording/object/object-header';
import { readRecording, type RecordingItem } from '@porthole/shared/recording/read/read-recording';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import { eventually } from '../../eventually.ts';
import { contentOf, problemsOf, recordingKeys, recordsOf } from '../../shared/recording/sample-recording.ts';
import { away, mebibyte, spoolHarness } from './spool-harness.ts';

const harness = spoolHarness();

async function read(recording: string): Promise<RecordingItem[]> {
  const items: RecordingItem[] = [];
  const deps = { storage: harness().storage, keys: recordingKeys };
  for await (const item of readRecording(deps, recording)) items.push(item);
  return items;
}

const textOf = (items: readonly RecordingItem[]) =>
  contentOf(items)
    .map((record) => (record.type === 'screen' ? Buffer.from(record.bytes).toString() : ''))
    .join('');

const isEmpty = (spool: Spool) => eventually('all is stored', () => spool.usage().objects === 0);

test.each(['in a directory', 'in memory'])(
  'a spool %s stores a part, and keeps nothing of it',
  async (where) => {
    const { openSpool, record, spoolDirectory } = harness();
    const spool = await openSpool(where === 'in memory' ? { files: undefined } : {});
    const recorder = await record(spool);
    const bytes = randomBytes(3 * mebibyte);
    for (let at = 0; at < bytes.length; at += 100_000) recorder.screen(bytes.subarray(at, at + 100_000));
    recorder.end('closed');
    await isEmpty(spool);
    const items = await read(recorder.address.recording);
    expect(problemsOf(items)).toEqual([]);
    const [content] = contentOf(items);
    // Jest compares large arrays byte by byte.
    expect(content?.type === 'screen' && bytes.equals(content.bytes)).toBe(true);
    expect(spool.usage()).toEqual({ memoryBytes: 0, diskBytes: 0, objects: 0 });
    if (where === 'in a directory')
      await eventually(async () => expect(await readdir(spoolDirectory)).toEqual([]));
  },
);

test('the chunk in progress is stored every five seconds, and not again without news', async () => {
  const { openSpool, record, clock, puts } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  for (const text of ['one ', 'two ', 'three ']) {
    recorder.screen(Buffer.from(text));
    clock.advance(5000);
    await eventually(async () =>
      expect(textOf(await read(recorder.address.recording))).toMatch(new RegExp(`${text}$`)),
    );
  }
  const name = chunkName(recorder.address, 0);
  clock.advance(20_000);
  await eventually('the spool is idle', () => spool.state() === 'ok');
  expect(puts.filter((put) => put === name)).toHaveLength(3);
  recorder.end('closed');
  await isEmpty(spool);
  expect(problemsOf(await read(recorder.address.recording))).toEqual([]);
  expect(clock.pending()).toBe(0);
});

test('a recording does not begin while the storage is away, and its part leaves nothing', async () => {
  const { openSpool, record, fail, clock } = harness();
  const spool = await openSpool();
  fail(away());
  await expect(record(spool)).rejects.toMatchObject({ code: 'unavailable' });
  expect(spool.usage().objects).toBe(0);
  expect(clock.pending()).toBe(0);
});

test('while the storage is away, a recording goes on, and is stored when the storage is back', async () => {
  const { openSpool, record, fail, clock, states, log } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  fail(new StorageError('denied', 'InvalidAccessKeyId'));
  recorder.screen(Buffer.from('during '));
  clock.advance(5000);
  await eventually('the failure is known', () => spool.state() === 'failing');
  recorder.screen(Buffer.from('the outage'));
  for (let i = 0; i < 10; i++) {
    clock.advance(30_000);
    await eventually('the next attempt failed, too', () => clock.pending() === 2);
  }
  expect(log.linesWith('cannot store recordings')).toHaveLength(1);
  expect(log.linesWith('cannot store recordings')[0]).toContain('"code":"denied"');
  fail(undefined);
  clock.advance(30_000);
  await eventually('the storage works again', () => spool.state() === 'ok');
  recorder.end('closed');
  await isEmpty(spool);
  expect(states).toEqual(['failing', 'ok']);
  const items = await read(recorder.address.recording);
  expect(problemsOf(items)).toEqual([]);
  expect(textOf(items)).toBe('during the outage');
});

test.each(['memory', 'disk'])(
  'when the %s is full, each part is told once, and ends without damage',
  async (which) => {
    const { openSpool, record, fail, clock, states } = harness();
    const spool = await openSpool(
      which === 'memory' ? { files: undefined, memoryBytes: mebibyte } : { diskBytes: mebibyte },
    );
    let told = 0;
    const recorder = await record(spool, {
      onFull() {
        told++;
        recorder.record({ type: 'mark', name: 'stopped', text: 'spool full' });
        recorder.end('recording_full');
      },
    });
    fail(away());
    await eventually('the spool is full', async () => {
      recorder.screen(randomBytes(50_000));
      await new Promise(setImmediate);
      return told > 0;
    });
    recorder.screen(randomBytes(50_000));
    expect(spool.state()).toBe('full');
    const { memoryBytes, diskBytes } = spool.usage();
    expect(memoryBytes + diskBytes).toBeLessThan(1.5 * mebibyte);
    fail(undefined);
    clock.advance(30_000);
    await isEmpty(spool);
    expect(told).toBe(1);
    expect(states.at(-1)).toBe('ok');
    const items = await read(recorder.address.recording);
    expect(problemsOf(items)).toEqual([]);
    expect(
      recordsOf(items)
        .slice(-2)
        .map(({ record }) => record),
    ).toEqual([
      { type: 'mark', name: 'stopped', text: 'spool full' },
      { type: 'end', reason: 'recording_full' },
    ]);
  },
);

test('a part that ignores that the spool is full is cut off', async () => {
  const { openSpool, record, fail } = harness();
  const spool = await openSpool({ files: undefined, memoryBytes: mebibyte });
  const recorder = await record(spool);
  fail(away());
  for (let i = 0; i < 200; i++) recorder.screen(randomBytes(50_000));
  expect(spool.usage().memoryBytes).toBeLessThan(1.5 * mebibyte);
});

test('when the disk of the spool fails, the data is stored from memory', async () => {
  const { openSpool, record, spoolDirectory, log, clock, hold } = harness();
  const files = createSpoolDirectory(spoolDirectory);
  let broken = true;
  const spool = await openSpool({
    files: {
      ...files,
      async writeAt(name, position, pieces) {
        if (!broken) return files.writeAt(name, position, pieces);
        await files.writeAt(name, position, [Buffer.concat(pieces).subarray(0, 10)]);
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    },
  });
  let told = 0;
  const recorder = await record(spool, { onFull: () => told++ });
  const release = hold();
  recorder.screen(Buffer.from('before '));
  clock.advance(5000);
  clock.advance(1000);
  await eventually('the spool is full', () => spool.state() === 'full');
  recorder.screen(Buffer.from('after'));
  clock.advance(5000);
  await eventually('the part is told', () => told === 1);
  broken = false;
  release();
  recorder.end('closed');
  await isEmpty(spool);
  expect(textOf(await read(recorder.address.recording))).toBe('before after');
  expect(log.linesWith('cannot write to the spool')).toHaveLength(1);
});

test('a drain stores everything within its deadline', async () => {
  const { openSpool, record, fail, clock } = harness();
  const spool = await openSpool();
  const recorders = await Promise.all(Array.from({ length: 10 }, () => record(spool)));
  fail(away());
  for (const recorder of recorders) {
    recorder.screen(Buffer.from('the end'));
    recorder.end('drained');
  }
  await eventually('the storage fails', () => spool.state() === 'failing');
  fail(undefined);
  expect(await spool.drain(10_000)).toBe(0);
  expect(clock.pending()).toBe(0);
  for (const { address } of recorders) expect(textOf(await read(address.recording))).toBe('the end');
});

test('a drain that does not finish in time leaves the rest to the next process, also without a last write', async () => {
  const { openSpool, record, hold, clock, spoolDirectory } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const release = hold();
  recorder.screen(Buffer.from('kept '));
  clock.advance(5000);
  recorder.screen(Buffer.from('and cut'));
  recorder.end('drained');
  const drained = spool.drain(3000);
  // Beside it, the two objects wait for the storage.
  await eventually('the deadline runs', () => clock.pending() === 3);
  clock.advance(3000);
  release();
  expect(await drained).toBe(2);
  expect(clock.pending()).toBe(0);

  const name = chunkName(recorder.address, 0).replaceAll('/', '~');
  // The process was killed while it wrote, and other files are not the spool's.
  await truncate(
    join(spoolDirectory, name),
    (await createSpoolDirectory(spoolDirectory).open())
      .filter((left) => left.name.endsWith('000000'))
      .map(({ size }) => size - 3)[0],
  );
  await writeFile(join(spoolDirectory, 'lost+found'), '');
  const next = await openSpool();
  await isEmpty(next);
  const items = await read(recorder.address.recording);
  expect(textOf(items)).toBe('kept ');
  expect(problemsOf(items).map(({ kind }) => kind)).toEqual(['truncated_chunk']);
  await eventually(async () => expect(await readdir(spoolDirectory)).toEqual(['lost+found']));
});

test('what a killed process left never replaces a longer version in the storage', async () => {
  const { openSpool, record, clock, spoolDirectory, hold } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const release = hold();
  recorder.screen(Buffer.from('stored'));
  clock.advance(5000);
  clock.advance(1000);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 0);
  release();
  await eventually(async () => expect(textOf(await read(recorder.address.recording))).toBe('stored'));
  // The spool is abandoned, and a crash of the node took the end of its file.
  await truncate(join(spoolDirectory, chunkName(recorder.address, 0).replaceAll('/', '~')), 50);
  await isEmpty(await openSpool());
  const items = await read(recorder.address.recording);
  expect(textOf(items)).toBe('stored');
  expect(problemsOf(items)).toEqual([]);
});

test('while the storage takes what it gets, nothing is written to the disk of the spool', async () => {
  const { openSpool, record, clock, spoolDirectory, stored } = harness();
  const files = createSpoolDirectory(spoolDirectory);
  let writes = 0;
  const spool = await openSpool({
    files: {
      ...files,
      writeAt: async (...args) => (writes++, files.writeAt(...args)),
      replace: async (...args) => (writes++, files.replace(...args)),
    },
  });
  const recorder = await record(spool);
  for (let i = 0; i < 10; i++) {
    recorder.screen(randomBytes(300_000));
    clock.advance(5000);
    await eventually('the finished chunk is stored', () => spool.usage().memoryBytes < 100_000);
    await eventually(
      'the index is stored',
      () => stored.filter((name) => name.endsWith('index')).length === i + 2,
    );
  }
  recorder.end('closed');
  await isEmpty(spool);
  clock.advance(5000);
  expect(writes).toBe(0);
  expect(problemsOf(await read(recorder.address.recording))).toEqual([]);
});

test('what a storage that does not answer has not taken is on the disk within a second of the flush', async () => {
  const { openSpool, record, clock, hold } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const release = hold();
  recorder.screen(Buffer.from('not stored'));
  clock.advance(5000);
  clock.advance(750);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 0);
  expect(spool.state()).toBe('ok');
  // The spool is abandoned, as after SIGKILL.
  release();
  await isEmpty(await openSpool());
  expect(textOf(await read(recorder.address.recording))).toBe('not stored');
});

test('what is more than half of the memory goes to the disk, and comes back complete', async () => {
  const { openSpool, record, clock } = harness();
  const spool = await openSpool({ memoryBytes: mebibyte });
  const recorder = await record(spool);
  const bytes = randomBytes(900_000);
  for (let at = 0; at < bytes.length; at += 50_000) recorder.screen(bytes.subarray(at, at + 50_000));
  await eventually('the memory is free again', () => spool.usage().memoryBytes < mebibyte / 2);
  expect(spool.usage().diskBytes).toBeGreaterThan(0);
  expect(spool.state()).toBe('ok');
  clock.advance(5000);
  recorder.end('closed');
  await isEmpty(spool);
  const [content] = contentOf(await read(recorder.address.recording));
  expect(content?.type === 'screen' && bytes.equals(content.bytes)).toBe(true);
});

test('only versions between the first and the last one of an object may be lost with the power of the storage', async () => {
  const { openSpool, record, clock, puts, interimPuts } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const name = chunkName(recorder.address, 0);
  for (let flush = 1; flush <= 3; flush++) {
    recorder.screen(Buffer.from('more '));
    clock.advance(5000);
    await eventually('it is stored', () => puts.filter((put) => put === name).length === flush);
    await eventually('the storage has answered', () => clock.pending() === 1);
  }
  expect(interimPuts).toEqual([name, name]);
  recorder.end('closed');
  await isEmpty(spool);
  expect(puts.slice(-2).toSorted()).toEqual([name, indexName(recorder.address)].toSorted());
  expect(interimPuts).toEqual([name, name]);
});

test('an index that was on the disk never replaces a later one', async () => {
  const { openSpool, record, clock, hold, storage } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const revision = async () => {
    const bytes = await storage.get(indexName(recorder.address));
    return decodeObjectHeader(bytes).header?.number ?? 0;
  };
  const release = hold();
  for (let i = 0; i < 3; i++) {
    recorder.screen(randomBytes(300_000));
    clock.advance(5000);
    clock.advance(1000);
  }
  await eventually('all is on the disk', () => spool.usage().diskBytes > 900_000);
  release();
  await eventually('all is stored', () => spool.usage().diskBytes === 0);
  recorder.screen(randomBytes(300_000));
  clock.advance(5000);
  await eventually('the index is stored', async () => (await revision()) >= 5);
  const before = await revision();
  await isEmpty(await openSpool());
  expect(await revision()).toBe(before);
});

test('whatever fails and recovers in between, each part is stored completely', async () => {
  const step = fc.record({
    part: fc.nat(2),
    text: fc.string({ maxLength: 20 }),
    advanceMs: fc.constantFrom(0, 0, 1000, 5000, 40_000),
    error: fc.option(fc.constantFrom('unavailable' as const, 'denied' as const, 'full' as const), {
      nil: undefined,
    }),
  });
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 25 }), async (inMemory, steps) => {
      const { openSpool, record, fail, clock } = harness();
      fail(undefined);
      const spool = await openSpool(inMemory ? { files: undefined } : {});
      const recorders = await Promise.all([0, 1, 2].map(() => record(spool)));
      const written = ['', '', ''];
      for (const { part, text, advanceMs, error } of steps) {
        fail(error && new StorageError(error, 'test'));
        recorders[part]?.screen(Buffer.from(text));
        written[part] += text;
        clock.advance(advanceMs);
        await new Promise(setImmediate);
      }
      for (const recorder of recorders) recorder.end('closed');
      fail(undefined);
      await eventually('all is stored', () => {
        clock.advance(1000);
        return spool.usage().objects === 0;
      });
      for (const [part, { address }] of recorders.entries()) {
        const items = await read(address.recording);
        expect(problemsOf(items)).toEqual([]);
        expect(textOf(items)).toBe(written[part]);
      }
      expect(spool.usage()).toEqual({ memoryBytes: 0, diskBytes: 0, objects: 0 });
      expect(spool.state()).toBe('ok');
      expect(await spool.drain(1000)).toBe(0);
      expect(clock.pending()).toBe(0);
    }),
    { numRuns: 25 },
  );
}, 30_000);
