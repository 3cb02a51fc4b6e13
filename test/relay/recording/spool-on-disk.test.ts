import { randomBytes } from 'node:crypto';
import { chunkName, indexName } from '@porthole/shared/recording/names';
import { decodeObjectHeader } from '@porthole/shared/recording/object/object-header';
import { eventually } from '../../eventually.ts';
import { contentOf, problemsOf } from '../../shared/recording/sample-recording.ts';
import { flushMs, gatherMs, observedFiles, restart } from './journal-harness.ts';
import { isEmpty, mebibyte, spoolHarness, textOf } from './spool-harness.ts';

const harness = spoolHarness();

test('a flush writes the chunks in progress of all parts to the disk at once, and none to the storage', async () => {
  const { openSpool, record, clock, puts, read } = harness();
  const { files, observed } = observedFiles(harness());
  const spool = await openSpool({ files });
  const recorders = await Promise.all([0, 1, 2].map(() => record(spool)));
  for (const [i, { screen }] of recorders.entries()) screen(Buffer.from(`console ${i}`));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().memoryBytes === 0);
  expect(observed.writes).toBe(1);
  expect(puts.filter((name) => !name.endsWith('/index'))).toEqual([]);
  clock.advance(2 * flushMs);
  await new Promise(setImmediate);
  expect(observed.writes).toBe(1);
  await restart(harness());
  for (const [i, { address }] of recorders.entries()) {
    const items = await read(address.recording);
    expect(problemsOf(items)).toEqual([]);
    expect(textOf(items)).toBe(`console ${i}`);
  }
});

test('a chunk that was written to the disk goes to the storage once, when it is complete', async () => {
  const { openSpool, record, clock, puts, read } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const bytes = randomBytes(500_000);
  for (let at = 0; at < bytes.length; at += 50_000) {
    recorder.screen(bytes.subarray(at, at + 50_000));
    clock.advance(flushMs + gatherMs);
    await eventually('it is on the disk', () => spool.usage().memoryBytes === 0);
  }
  const name = chunkName(recorder.address, 0);
  expect(puts).not.toContain(name);
  clock.advance(60_000);
  await eventually('the disk is free again', () => spool.usage().diskBytes === 0);
  expect(puts.filter((put) => put === name)).toHaveLength(1);
  const [content] = contentOf(await read(recorder.address.recording));
  expect(content?.type === 'screen' && bytes.equals(content.bytes)).toBe(true);
  recorder.end('closed');
  await isEmpty(spool);
});

test('while a quarter of the disk is in use, flushes go to the storage', async () => {
  const { openSpool, record, clock, puts } = harness();
  const spool = await openSpool({ diskBytes: 400_000 });
  const recorders = await Promise.all([0, 1].map(() => record(spool)));
  recorders[0]?.screen(randomBytes(120_000));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 120_000);
  expect(spool.state()).toBe('ok');
  recorders[1]?.screen(Buffer.from('more'));
  clock.advance(flushMs);
  await eventually('the storage has it', () => puts.some((name) => name.endsWith('/000000')));
  for (const recorder of recorders) recorder.end('closed');
  await isEmpty(spool);
});

test('while the storage takes what it gets, complete chunks are not written to the disk', async () => {
  const { openSpool, record, clock, stored, read } = harness();
  const { files, observed } = observedFiles(harness());
  const spool = await openSpool({ files });
  const recorder = await record(spool);
  for (let i = 0; i < 5; i++) {
    recorder.screen(randomBytes(700_000));
    clock.advance(flushMs);
    await eventually(
      'chunk and index are stored',
      () =>
        stored.filter((name) => name.endsWith('index')).length === i + 2 &&
        spool.usage().memoryBytes < 10_000,
    );
  }
  recorder.end('closed');
  await isEmpty(spool);
  clock.advance(flushMs);
  await new Promise(setImmediate);
  expect(observed.writes).toBe(0);
  expect(problemsOf(await read(recorder.address.recording))).toEqual([]);
});

test('what a storage that does not answer has not taken is on the disk within a second', async () => {
  const { openSpool, record, clock, hold, read } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  const release = hold();
  recorder.screen(randomBytes(700_000));
  clock.advance(flushMs);
  await new Promise(setImmediate);
  clock.advance(250);
  clock.advance(gatherMs);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 700_000);
  expect(spool.state()).toBe('ok');
  release();
  await restart(harness());
  const [content] = contentOf(await read(recorder.address.recording));
  expect(content?.type === 'screen' && content.bytes.length).toBe(700_000);
});

test('what is more than half of the memory goes to the disk, and comes back complete', async () => {
  const { openSpool, record, clock, read } = harness();
  const spool = await openSpool({ memoryBytes: mebibyte });
  const recorder = await record(spool);
  const bytes = randomBytes(900_000);
  for (let at = 0; at < bytes.length; at += 50_000) recorder.screen(bytes.subarray(at, at + 50_000));
  await eventually('the memory is free again', () => spool.usage().memoryBytes < mebibyte / 2);
  expect(spool.usage().diskBytes).toBeGreaterThan(0);
  expect(spool.state()).toBe('ok');
  clock.advance(flushMs);
  recorder.end('closed');
  await isEmpty(spool);
  const [content] = contentOf(await read(recorder.address.recording));
  expect(content?.type === 'screen' && bytes.equals(content.bytes)).toBe(true);
});

test('a quiet console does not keep the files that other consoles fill', async () => {
  const { openSpool, record, clock, read } = harness();
  const spool = await openSpool({ memoryBytes: 4 * mebibyte, diskBytes: 64 * mebibyte });
  const quiet = await record(spool);
  quiet.screen(Buffer.from('quiet'));
  clock.advance(flushMs + gatherMs);
  await eventually('it is on the disk', () => spool.usage().diskBytes > 0);
  const busy = await Promise.all([0, 1, 2].map(() => record(spool)));
  for (let round = 0; round < 40; round++) {
    for (const recorder of busy) recorder.screen(randomBytes(600_000));
    await eventually('there is room in the memory', () => {
      clock.advance(50);
      return spool.usage().memoryBytes < 2 * mebibyte;
    });
  }
  expect(spool.state()).toBe('ok');
  for (const recorder of busy) recorder.end('closed');
  await eventually('the disk is free again', () => {
    clock.advance(gatherMs);
    return spool.usage().diskBytes < 16 * mebibyte;
  });
  await restart(harness());
  expect(textOf(await read(quiet.address.recording))).toBe('quiet');
  quiet.end('closed');
  await eventually('nothing is kept', () => {
    clock.advance(gatherMs);
    return spool.usage().objects === 0 && spool.usage().diskBytes === 0;
  });
}, 60_000);

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
    recorder.screen(randomBytes(600_000));
    clock.advance(flushMs);
    clock.advance(1000);
  }
  await eventually('all is on the disk', () => spool.usage().diskBytes > 1_800_000);
  release();
  await eventually('all is stored', () => spool.usage().diskBytes === 0);
  recorder.screen(randomBytes(600_000));
  clock.advance(flushMs);
  await eventually('the index is stored', async () => (await revision()) >= 5);
  const before = await revision();
  await restart(harness());
  expect(await revision()).toBe(before);
});
