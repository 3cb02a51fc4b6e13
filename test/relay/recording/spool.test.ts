import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import { chunkName, indexName } from '@porthole/shared/recording/names';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import { eventually } from '../../eventually.ts';
import { contentOf, problemsOf, recordsOf } from '../../shared/recording/sample-recording.ts';
import { away, isEmpty, mebibyte, spoolHarness, textOf } from './spool-harness.ts';

const harness = spoolHarness();

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
    const items = await harness().read(recorder.address.recording);
    expect(problemsOf(items)).toEqual([]);
    const [content] = contentOf(items);
    // Jest compares large arrays byte by byte.
    expect(content?.type === 'screen' && bytes.equals(content.bytes)).toBe(true);
    await eventually('nothing is kept', () => spool.usage().diskBytes === 0);
    expect(spool.usage()).toEqual({ memoryBytes: 0, diskBytes: 0, objects: 0 });
    if (where === 'in a directory')
      await eventually(async () => expect(await readdir(spoolDirectory)).toEqual([]));
  },
);

test('without a directory, the chunk in progress is stored every five seconds, and not again without news', async () => {
  const { openSpool, record, clock, puts } = harness();
  const spool = await openSpool({ files: undefined });
  const recorder = await record(spool);
  for (const text of ['one ', 'two ', 'three ']) {
    recorder.screen(Buffer.from(text));
    clock.advance(5000);
    await eventually(async () =>
      expect(textOf(await harness().read(recorder.address.recording))).toMatch(new RegExp(`${text}$`)),
    );
  }
  const name = chunkName(recorder.address, 0);
  clock.advance(20_000);
  await eventually('the spool is idle', () => spool.state() === 'ok');
  expect(puts.filter((put) => put === name)).toHaveLength(3);
  recorder.end('closed');
  await isEmpty(spool);
  expect(problemsOf(await harness().read(recorder.address.recording))).toEqual([]);
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
  const { openSpool, record, fail, clock, states, log, puts } = harness();
  const spool = await openSpool();
  const recorder = await record(spool);
  fail(new StorageError('denied', 'InvalidAccessKeyId'));
  recorder.screen(Buffer.from('during '));
  clock.advance(60_000);
  await eventually('the failure is known', () => spool.state() === 'failing');
  recorder.screen(Buffer.from('the outage'));
  for (let i = 0; i < 10; i++) {
    const before = puts.length;
    clock.advance(30_000);
    await eventually('the storage is tried again', () => puts.length > before);
    await new Promise(setImmediate);
    expect(spool.state()).toBe('failing');
  }
  expect(log.linesWith('cannot store recordings')).toHaveLength(1);
  expect(log.linesWith('cannot store recordings')[0]).toContain('"code":"denied"');
  fail(undefined);
  clock.advance(30_000);
  await eventually('the storage works again', () => spool.state() === 'ok');
  recorder.end('closed');
  await isEmpty(spool);
  expect(states).toEqual(['failing', 'ok']);
  const items = await harness().read(recorder.address.recording);
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
    await eventually('there is room again', () => states.at(-1) === 'ok');
    const items = await harness().read(recorder.address.recording);
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
  for (const { address } of recorders)
    expect(textOf(await harness().read(address.recording))).toBe('the end');
});

test('only versions between the first and the last one of an object may be lost with the power of the storage', async () => {
  const { openSpool, record, clock, puts, interimPuts } = harness();
  const spool = await openSpool({ files: undefined });
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
        const items = await harness().read(address.recording);
        expect(problemsOf(items)).toEqual([]);
        expect(textOf(items)).toBe(written[part]);
      }
      await eventually('nothing is kept', () => spool.usage().diskBytes === 0);
      expect(spool.usage()).toEqual({ memoryBytes: 0, diskBytes: 0, objects: 0 });
      expect(spool.state()).toBe('ok');
      expect(await spool.drain(1000)).toBe(0);
      expect(clock.pending()).toBe(0);
    }),
    { numRuns: 25 },
  );
}, 30_000);
