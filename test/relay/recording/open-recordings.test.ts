import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordings } from '@porthole/relay/recording/open-recordings';
import { recordings } from '@porthole/shared/config/recordings-schema';
import { openRecordingStorage } from '@porthole/shared/recording/storage/open-storage';
import { readRecording, type RecordingItem } from '@porthole/shared/recording/read/read-recording';
import { systemClock } from '@porthole/shared/time/clock';
import { startS3Server } from '../../fakes/s3-server.ts';
import { describeWith } from '../../needs.ts';
import { contentOf, facts, problemsOf, recordingKeys } from '../../shared/recording/sample-recording.ts';
import { recordedLog } from '../../shared/store/store-harness.ts';

/** Records a part as a relay with this storage does, and reads it as a broker with this storage does. */
async function recordAndRead(storage: object, spoolDirectory: string): Promise<RecordingItem[]> {
  const config = recordings.parse({
    encryptionKeys: () => recordingKeys().join(' '),
    storage,
    spool: { directory: spoolDirectory },
  });
  const { log } = recordedLog();
  const relay = createRecordings(config, {
    clock: systemClock,
    monotonicMs: () => performance.now(),
    random: randomBytes,
    log,
  });
  await relay.start?.();
  const recorder = await relay.record({ ordinal: 1, facts, onFull() {} });
  recorder.screen(Buffer.from('picture'));
  recorder.end('closed');
  await relay.stop?.();

  const broker = await openRecordingStorage(config, { clock: systemClock });
  const items: RecordingItem[] = [];
  for await (const item of readRecording(
    { storage: broker, keys: recordingKeys },
    recorder.address.recording,
  ))
    items.push(item);
  await broker.close();
  return items;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthole-recordings-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a relay with a directory records, and a broker with the same directory reads', async () => {
  const directory = join(folder, 'recordings');
  await mkdir(directory);
  const items = await recordAndRead({ directory }, join(folder, 'spool'));
  expect(problemsOf(items)).toEqual([]);
  expect(contentOf(items)).toMatchObject([{ type: 'screen' }]);
});

describeWith('versitygw')('with S3', () => {
  test('a relay with S3 records, and a broker with the same bucket reads', async () => {
    const server = await startS3Server();
    try {
      const { endpoint, bucket, accessKeyId, secretAccessKey } = server;
      const s3 = {
        endpoint: endpoint.href,
        bucket,
        prefix: 'school/',
        accessKeyId: () => accessKeyId,
        secretAccessKey: () => secretAccessKey,
      };
      const items = await recordAndRead({ s3 }, join(folder, 'spool-s3'));
      expect(problemsOf(items)).toEqual([]);
      expect(contentOf(items)).toMatchObject([{ type: 'screen' }]);
    } finally {
      await server.stop();
    }
  });
});

test('without recordings in S3, nothing loads the AWS SDK', () => {
  const root = new URL('../../../', import.meta.url);
  const importing = (what: RegExp) =>
    globSync('services/{shared,relay,broker,standalone}/src/**/*.ts', { cwd: root }).filter((path) =>
      what.test(readFileSync(new URL(path, root), 'utf8')),
    );
  const storage = 'services/shared/src/recording/storage';
  expect(importing(/from '@aws-sdk\//)).toEqual([`${storage}/s3-storage.ts`]);
  // Types are not imported at run time.
  expect(importing(/^(import|export) (?!type )[^;]*from '[^']*\/s3-storage(\.ts)?'/m)).toEqual([]);
  expect(importing(/import\('[^']*\/s3-storage(\.ts)?'\)/)).toEqual([`${storage}/open-storage.ts`]);
});
