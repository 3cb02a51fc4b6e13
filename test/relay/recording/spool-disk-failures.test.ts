import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createJournalFiles } from '@porthole/relay/recording/journal-files';
import { chunkName } from '@porthole/shared/recording/names';
import { eventually } from '../../eventually.ts';
import { problemsOf } from '../../shared/recording/sample-recording.ts';
import { flushMs, gatherMs, observedFiles, restart } from './journal-harness.ts';
import { away, isEmpty, spoolHarness, textOf } from './spool-harness.ts';

const harness = spoolHarness();

test('when the disk fails, the storage gets the chunks in progress, and the disk gets another chance later', async () => {
  const { openSpool, record, clock, timesStored, states, log, read } = harness();
  const { files, observed } = observedFiles(harness());
  const spool = await openSpool({ files });
  const recorder = await record(spool);
  const name = chunkName(recorder.address, 0);
  recorder.screen(Buffer.from('on the disk '));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().memoryBytes === 0);
  observed.isBroken = true;
  recorder.screen(Buffer.from('not '));
  clock.advance(flushMs + gatherMs);
  await eventually('the storage has it', () => timesStored(name) === 1);
  recorder.screen(Buffer.from('and again '));
  clock.advance(flushMs);
  await eventually('the storage has more', () => timesStored(name) === 2);
  await new Promise(setImmediate);
  observed.isBroken = false;
  clock.advance(30_000);
  recorder.screen(Buffer.from('and back'));
  const { writes } = observed;
  clock.advance(flushMs + gatherMs);
  await eventually('the disk is used again', () => observed.writes > writes);
  expect(timesStored(name)).toBe(2);
  expect(states).toEqual([]);
  expect(log.linesWith('cannot write to the spool')).toHaveLength(1);
  await eventually('it is on the disk', () => spool.usage().memoryBytes === 0);
  await restart(harness());
  const items = await read(recorder.address.recording);
  expect(problemsOf(items)).toEqual([]);
  expect(textOf(items)).toBe('on the disk not and again and back');
});

test('when storage and disk fail, each part is told at once, and the data is stored from memory later', async () => {
  const { openSpool, record, log, clock, fail, read } = harness();
  const { files, observed } = observedFiles(harness());
  observed.isBroken = true;
  const spool = await openSpool({ files });
  let told = 0;
  const recorder = await record(spool, { onFull: () => told++ });
  fail(away());
  recorder.screen(Buffer.from('before '));
  clock.advance(flushMs + gatherMs);
  await eventually('the spool is full', () => spool.state() === 'full');
  recorder.screen(Buffer.from('after'));
  clock.advance(flushMs);
  await eventually('the part is told', () => told === 1);
  observed.isBroken = false;
  fail(undefined);
  recorder.end('closed');
  await eventually('all is stored', () => {
    clock.advance(1000);
    return spool.usage().objects === 0;
  });
  expect(spool.state()).toBe('ok');
  expect(textOf(await read(recorder.address.recording))).toBe('before after');
  expect(log.linesWith('cannot write to the spool')).toHaveLength(1);
});

test('a file of the journal that cannot be read loses its recordings only', async () => {
  const { openSpool, record, clock, log, states, read } = harness();
  const { files } = observedFiles(harness());
  const spool = await openSpool({
    files: {
      ...files,
      async read(file, places) {
        if (file > 1 || places.every(({ offset }) => offset > 400)) return files.read(file, places);
        throw Object.assign(new Error('I/O error'), { code: 'EIO' });
      },
    },
  });
  // Its record is the first one in the file.
  const lost = await record(spool);
  const kept = await record(spool);
  lost.screen(Buffer.from('lost'));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().memoryBytes === 0);
  lost.end('closed');
  kept.screen(Buffer.from('kept'));
  kept.end('closed');
  await eventually('the spool is empty', () => {
    clock.advance(1000);
    return spool.usage().objects === 0;
  });
  await eventually('its disk is free', () => spool.usage().diskBytes === 0);
  expect(textOf(await read(kept.address.recording))).toBe('kept');
  expect(problemsOf(await read(lost.address.recording)).map(({ kind }) => kind)).toEqual(['missing_chunk']);
  expect(log.linesWith('cannot read the spool')).toHaveLength(1);
  expect(states).toEqual([]);
});

test('nothing is kept of a chunk in progress that cannot be read any more', async () => {
  const { openSpool, record, clock, log, stored } = harness();
  const { files } = observedFiles(harness());
  const spool = await openSpool({
    // The first flush fills a quarter of the disk, so that the next one goes to the storage.
    diskBytes: 1500,
    files: {
      ...files,
      read: async () => {
        throw Object.assign(new Error('I/O error'), { code: 'EIO' });
      },
    },
  });
  const recorder = await record(spool);
  recorder.screen(Buffer.from('lost '));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 375);
  recorder.screen(Buffer.from('and lost'));
  await eventually('it is given up', () => {
    clock.advance(1000);
    return log.linesWith('cannot read the spool').length === 1;
  });
  recorder.screen(randomBytes(100_000));
  recorder.end('closed');
  await isEmpty(spool);
  await eventually('nothing is kept', () => spool.usage().diskBytes === 0);
  expect(spool.usage()).toEqual({ memoryBytes: 0, diskBytes: 0, objects: 0 });
  expect(log.linesWith('cannot read the spool')).toHaveLength(1);
  expect(stored).not.toContain(chunkName(recorder.address, 0));
});

test('a spool starts with files that it cannot read and with those of others', async () => {
  const { openSpool, spoolDirectory, log, record, clock } = harness();
  await mkdir(join(spoolDirectory, 'journal-00000001'), { recursive: true });
  await writeFile(join(spoolDirectory, 'journal-000000007'), 'nine digits');
  await writeFile(join(spoolDirectory, 'journal-00000003'), 'no record');
  const files = createJournalFiles(spoolDirectory);
  const spool = await openSpool({
    files: {
      ...files,
      readAll: async (file) => {
        if (file === 5) throw Object.assign(new Error('denied'), { code: 'EACCES' });
        return files.readAll(file);
      },
      open: async () => [...(await files.open()), 5],
    },
  });
  expect(log.linesWith('cannot read the spool')).toHaveLength(1);
  const recorder = await record(spool);
  recorder.screen(Buffer.from('text'));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 0);
  expect(await readdir(spoolDirectory)).toContain('journal-00000006');
  recorder.end('closed');
  await isEmpty(spool);
});

test('while the disk does not answer, the storage gets the chunks in progress', async () => {
  const { openSpool, record, clock, timesStored, states } = harness();
  const { files } = observedFiles(harness());
  const { promise, resolve } = Promise.withResolvers<void>();
  const spool = await openSpool({
    files: {
      ...files,
      write: async (...args) => {
        await promise;
        return files.write(...args);
      },
    },
  });
  const recorder = await record(spool);
  const name = chunkName(recorder.address, 0);
  recorder.screen(Buffer.from('one '));
  clock.advance(flushMs + gatherMs);
  await new Promise(setImmediate);
  clock.advance(2000);
  await eventually('the storage has it', () => timesStored(name) === 1);
  await new Promise(setImmediate);
  recorder.screen(Buffer.from('two'));
  clock.advance(flushMs);
  await eventually('the storage has more', () => timesStored(name) === 2);
  expect(spool.isBusy()).toBe(false);
  resolve();
  recorder.end('closed');
  await isEmpty(spool);
  expect(states).toEqual([]);
});

test('while the disk fails, each flush is timesStored, also when the disk is tried again', async () => {
  const { openSpool, record, clock, timesStored } = harness();
  const { files, observed } = observedFiles(harness());
  observed.isBroken = true;
  const spool = await openSpool({ files });
  const recorder = await record(spool);
  const name = chunkName(recorder.address, 0);
  for (let flush = 1; flush <= 10; flush++) {
    recorder.screen(Buffer.from('more '));
    clock.advance(flushMs);
    await new Promise(setImmediate);
    clock.advance(gatherMs);
    await eventually('the storage has it', () => timesStored(name) >= flush);
    await new Promise(setImmediate);
  }
  expect(observed.writes).toBe(2);
  recorder.end('closed');
  await isEmpty(spool);
});

test('when the disk works again while the storage is away, what is in memory goes to the disk', async () => {
  const { openSpool, record, clock, fail } = harness();
  const { files, observed } = observedFiles(harness());
  observed.isBroken = true;
  const spool = await openSpool({ files });
  const recorder = await record(spool);
  fail(away());
  recorder.screen(Buffer.from('kept'));
  recorder.end('closed');
  await eventually('both fail', () => {
    clock.advance(1000);
    return spool.state() === 'full';
  });
  observed.isBroken = false;
  clock.advance(30_000);
  await eventually('it is on the disk', () => {
    clock.advance(gatherMs);
    return spool.usage().diskBytes > 0;
  });
  fail(undefined);
  await restart(harness());
});
