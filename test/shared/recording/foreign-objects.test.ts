import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { partSummary } from '@porthole/shared/recording/index/part-index';
import { maxSegmentBytes } from '@porthole/shared/recording/limits';
import { chunkName, indexName, parseObjectName } from '@porthole/shared/recording/names';
import { openObject } from '@porthole/shared/recording/read/open-object';
import { createRecordDecoder } from '@porthole/shared/recording/record/decode-records';
import {
  memoryStorage,
  newAddress,
  problemsOf,
  readAll,
  recordingKeys,
  sampleWriter,
} from './sample-recording.ts';

test('the decoder of records takes any bytes without an exception, and never returns more than it was given', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (segments) => {
      const decoder = createRecordDecoder();
      const given = segments.reduce((sum, { length }) => sum + length, 0);
      let returned = 0;
      for (const segment of segments)
        for (const { record } of decoder.decode(segment) ?? [])
          returned += 'bytes' in record ? record.bytes.length : 1;
      expect(returned).toBeLessThanOrEqual(given);
    }),
    { numRuns: 2000 },
  );
});

test('any bytes behind the beginning of a real object are refused without an exception', () => {
  const objects = new Map<string, Buffer>();
  const { address, writer, finish } = sampleWriter(objects);
  writer.screen(Buffer.from('picture'));
  finish();
  const object = objects.get(chunkName(address, 0)) ?? Buffer.alloc(0);
  const expected = { ...address, kind: 'chunk' as const, number: 0 };
  fc.assert(
    fc.property(fc.nat(object.length - 1), fc.uint8Array({ minLength: 1, maxLength: 300 }), (kept, rest) => {
      const given = Buffer.concat([object.subarray(0, kept), rest]);
      fc.pre(!given.equals(object));
      expect(openObject(recordingKeys, expected, given, maxSegmentBytes).problem).toBeDefined();
    }),
    { numRuns: 300 },
  );
});

test('a reader takes at most 4 MiB of a foreign object in the storage', async () => {
  const address = newAddress();
  const huge = randomBytes(6 * 1024 * 1024);
  const objects = new Map([chunkName(address, 0), indexName(address)].map((name) => [name, huge]));
  const { storage } = memoryStorage(objects);
  const asked: (number | undefined)[] = [];
  const watched: typeof storage = {
    ...storage,
    get(name, options) {
      asked.push(options?.maxBytes);
      return storage.get(name, options);
    },
  };
  const items = await readAll(objects, address.recording, recordingKeys, { objects, storage: watched });
  expect(problemsOf(items).map(({ kind }) => kind)).toEqual(['damaged_index', 'damaged_chunk']);
  expect(asked).toEqual([4 * 1024 * 1024, 4 * 1024 * 1024]);
});

test('only names that Porthole gives are names of objects', () => {
  const address = newAddress();
  expect(parseObjectName(chunkName(address, 7))).toEqual({ ...address, kind: 'chunk', chunk: 7 });
  expect(parseObjectName(indexName(address))).toEqual({ ...address, kind: 'index' });
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseObjectName(text)).toBeUndefined();
      expect(parseObjectName(`${indexName(address)}${text || '/'}`)).toBeUndefined();
    }),
  );
});

test('an index of a newer version with more fields is read', () => {
  const summary = {
    revision: 1,
    facts: {
      kind: 'screen',
      session: 's',
      user: 'anna',
      machine: { cluster: 'lab', node: 'pve1', type: 'qemu', added: 1 },
      mode: 'view',
      relay: 'r',
      keys: false,
      clipboard: false,
      added: true,
    },
    startedAt: 0,
    updatedAt: 0,
    durationMs: 0,
    chunks: 0,
    plainBytes: 0,
    storedBytes: 0,
    gaps: 0,
    added: 'later',
  };
  expect(partSummary.safeParse(summary).success).toBe(true);
});
