import { readConfig } from '@porthole/shared/config/read';
import { configFolder, environment, issuesOf, settings } from './config-files.ts';

const { folder, read: readSettings, write } = configFolder();
const key = 'r'.repeat(40);
const s3 = {
  endpoint: 'https://s3.example:9000',
  bucket: 'lab-recordings',
  accessKeyId: 'AKIA',
  secretAccessKey: 'the secret',
};

const read = (recordings: object) => readSettings(settings({ recordings })).recordings;
const issues = (recordings: object) => issuesOf(() => read(recordings));

describe('recordings', () => {
  test('are off by default', () => {
    expect(readConfig(environment(), folder()).recordings).toBeUndefined();
  });

  test('take a directory, relative to the configuration, or S3 with keys of their own', () => {
    const inDirectory = read({
      encryptionKeys: key,
      storage: { directory: 'kept' },
      spool: { directory: 'spool' },
    });
    expect(inDirectory?.storage.directory).toBe(`${folder()}/kept`);
    expect(inDirectory?.spool).toEqual({
      directory: `${folder()}/spool`,
      memoryMiB: 64,
      diskMiB: 1024,
      flushSeconds: 4,
      chunkSeconds: 60,
      drainSeconds: 10,
    });
    const inS3 = read({ encryptionKeys: key, storage: { s3 } });
    expect(inS3?.storage.s3).toMatchObject({ region: 'us-east-1', prefix: '', pathStyle: true });
    expect(inS3?.storage.s3?.secretAccessKey()).toBe('the secret');
    expect(inS3?.encryptionKeys()).toBe(key);
  });

  test('take secrets from files and from the environment', () => {
    write('keys', `${key}\n`);
    const config = readSettings(settings({ recordings: { storage: { s3: { bucket: 'lab-recordings' } } } }), {
      PORTHOLE_RECORDINGS_ENCRYPTION_KEYS_FILE: 'keys',
      PORTHOLE_RECORDINGS_S3_ACCESS_KEY_ID: 'AKIA',
      PORTHOLE_RECORDINGS_S3_SECRET_ACCESS_KEY: 'the secret',
    });
    expect(config.recordings?.encryptionKeys()).toBe(key);
    expect(config.recordings?.storage.s3?.accessKeyId()).toBe('AKIA');
  });

  test('need keys of at least 32 characters', () => {
    expect(issues({ storage: { directory: 'kept' } })).toContainEqual(
      expect.stringMatching(/^recordings\.encryptionKeys: /),
    );
    expect(issues({ encryptionKeys: 'short', storage: { directory: 'kept' } })).toContainEqual(
      expect.stringMatching(/^recordings\.encryptionKeys: each key must have at least 32 characters/),
    );
  });

  test.each([
    ['no storage', {}, 'recordings.storage.directory'],
    ['two storages', { directory: 'kept', s3 }, 'recordings.storage.directory'],
    ['a prefix without a slash', { s3: { ...s3, prefix: 'lab' } }, 'recordings.storage.s3.prefix'],
    ['a prefix that leaves the bucket', { s3: { ...s3, prefix: '../' } }, 'recordings.storage.s3.prefix'],
    [
      'credentials in the endpoint',
      { s3: { ...s3, endpoint: 'https://a:b@s3' } },
      'recordings.storage.s3.endpoint',
    ],
    ['no access key', { s3: { bucket: 'lab-recordings' } }, 'recordings.storage.s3.accessKeyId'],
  ])('are refused with %s', (_, storage, path) => {
    expect(issues({ encryptionKeys: key, storage })).toContainEqual(expect.stringContaining(`${path}: `));
  });
});
