import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setHold } from '@porthole/broker/recordings/legal-hold';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { startS3Server } from '../../fakes/s3-server.ts';
import { recordingKey, terminalPart } from '../../fakes/recordings/write-recording.ts';
import { describeWith } from '../../needs.ts';
import { createS3Storage } from '@porthole/shared/recording/storage/s3-storage';
import { systemClock } from '@porthole/shared/time/clock';
import { constantSecret } from '@porthole/shared/config/secret';
import { aRecording, lessonAt } from '../recordings/fixtures.ts';
import { aUser, usersFile } from '../rig.ts';
import { runPorthole } from './run-porthole.ts';

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});

async function aFolder(storage?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-cli-recordings-'));
  folders.push(folder);
  const directory = await mkdtemp(join(folder, 'storage-'));
  await writeFile(join(folder, 'users.yaml'), usersFile(aUser('anna')));
  await writeFile(
    join(folder, 'porthole.yaml'),
    `clusters:
  - name: school
    urls: ['https://127.0.0.1:1']
    credential: { token: x@pve!y, secret: 0d3c6a51-7f3e-4b51-9a0e-2f1f1c0de001 }
signIn: { local: { usersFile: users.yaml } }
audit: { to: file, file: ${folder}/audit.jsonl }
recordings:
  encryptionKeys: ${recordingKey}
  storage: ${storage ?? `{ directory: ${directory} }`}
`,
  );
  return {
    folder,
    storage: createDirectoryStorage(directory),
    run: (...args: string[]) => runPorthole(['recordings', ...args], folder, { USER: 'root' }),
    audited: async () =>
      (await readFile(join(folder, 'audit.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

async function chunkNames(storage: RecordingStorage, id: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list(`${id}/`)) if (/\/\d{6}$/.test(name)) names.push(name);
  return names;
}

test('recordings are listed, found and shown', async () => {
  const { storage, run } = await aFolder();
  expect(await run('list')).toMatchObject({ code: 0, out: 'There are no such recordings.\n' });
  const anna = await aRecording(storage, { facts: { class: 'networks' } });
  const ben = await aRecording(storage, {
    startedAt: lessonAt + 24 * 3_600_000,
    facts: { user: 'local:ben', displayName: 'Ben' },
  });
  const { out } = await run('list');
  expect(out.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual(['RECORDING', ben, anna, '']);
  const listed = async (...args: string[]) =>
    JSON.parse((await run('list', '--json', ...args)).out).map(({ id }: { id: string }) => id);
  expect(await listed('--user', 'ben')).toEqual([ben]);
  expect(await listed('--class', 'networks')).toEqual([anna]);
  expect(await listed('--until', '2026-01-05')).toEqual([anna]);
  expect(await listed('--since', '2026-01-06')).toEqual([ben]);
  expect(await run('list', '--since', 'soon')).toMatchObject({ code: 2 });
  const shown = await run('show', anna);
  expect(shown.out).toMatch(/state: +complete[^]*PART[^]*relay-0[^]*closed/);
  expect(JSON.parse((await run('show', anna, '--json')).out)).toMatchObject({
    id: anna,
    class: 'networks',
    parts: [{ chunks: 1, durationMs: 3000, end: 'closed' }],
    problems: [],
  });
  expect(await run('show', ben.replace(/.{4}$/, '0000'))).toMatchObject({ code: 1 });
  expect(await run('show', '../x')).toMatchObject({ code: 2 });
});

test('verify names each chunk that is altered or missing, and fails', async () => {
  const { storage, run } = await aFolder();
  const minutes: Parameters<typeof aRecording>[1] = {
    parts: [
      {
        write(writer, at) {
          for (let minute = 0; minute < 4; minute++) {
            at(minute * 61_000);
            writer.terminalOutput(Buffer.from(`minute ${minute}\r\n`));
          }
        },
      },
    ],
  };
  const good = await aRecording(storage, minutes);
  const bad = await aRecording(storage, { ...minutes, startedAt: lessonAt + 1000 });
  expect(await run('verify', good)).toEqual({ code: 0, out: `${good}: ok, 4 chunks\n`, err: '' });
  const [, altered = '', missing = ''] = await chunkNames(storage, bad);
  const bytes = await storage.get(altered);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await storage.put(altered, bytes);
  await storage.delete(missing);
  const all = await run('verify', '--all');
  expect(all.code).toBe(1);
  expect(all.out).toMatch(
    new RegExp(`${good}: ok[^]*${bad}: damaged[^]*damaged_chunk .* chunk 1[^]*missing_chunk .* chunk 2`),
  );
  expect(all.err).toContain('1 of 2 recordings are damaged.');
  const [, result] = JSON.parse((await run('verify', '--all', '--json')).out);
  expect(result.problems.map(({ kind, chunk }: { kind: string; chunk: number }) => [kind, chunk])).toEqual([
    ['damaged_chunk', 1],
    ['missing_chunk', 2],
  ]);
  expect((await run('verify')).code).toBe(2);
});

test('export writes one file, and delete respects the legal hold and open consoles', async () => {
  const { storage, run, folder, audited } = await aFolder();
  const id = await aRecording(storage);
  const file = join(folder, 'exam.cast');
  expect(await run('export', id, '-o', 'exam.cast')).toMatchObject({ code: 0, out: `${file}\n` });
  expect((await readFile(file, 'utf8')).split('\n')[2]).toBe(JSON.stringify([1, 'o', 'one\r\n']));
  expect((await run('export', id, '-o', 'exam.cast')).code).toBe(1);
  expect(await run('export', id, '-o', '-')).toEqual({ code: 0, out: await readFile(file, 'utf8'), err: '' });
  await setHold({ storage }, id, { by: 'local:ada', at: 0 });
  expect(await run('delete', id)).toMatchObject({ code: 1, err: 'The recording is on legal hold.\n' });
  await storage.delete(`${id}/hold`);
  expect((await run('delete', id)).code).toBe(0);
  expect((await run('show', id)).code).toBe(1);
  const open = await aRecording(storage, { parts: [{ write: terminalPart(['one']), end: null }] });
  expect((await run('delete', open)).code).toBe(1);
  expect((await run('delete', open, '--unfinished')).code).toBe(0);
  expect((await audited()).map(({ event, by }) => [event, by.id])).toEqual([
    ['recording_downloaded', 'cli:root'],
    ['recording_downloaded', 'cli:root'],
    ['recording_downloaded', 'cli:root'],
    ['recording_deleted', 'cli:root'],
    ['recording_deleted', 'cli:root'],
  ]);
});

test('without recordings in the configuration, the commands say so', async () => {
  const { folder, run } = await aFolder();
  const file = join(folder, 'porthole.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/recordings:[^]*/, ''));
  expect(await run('list')).toMatchObject({ code: 1, err: 'The configuration has no recordings.\n' });
});

describeWith('versitygw')('recordings in S3', () => {
  test('are listed, held, verified and deleted', async () => {
    const server = await startS3Server();
    try {
      const { endpoint, bucket, accessKeyId, secretAccessKey } = server;
      const storage = createS3Storage(
        {
          endpoint,
          bucket,
          region: 'us-east-1',
          prefix: 'school/',
          pathStyle: true,
          accessKeyId: constantSecret(accessKeyId),
          secretAccessKey: constantSecret(secretAccessKey),
        },
        { clock: systemClock },
      );
      const { run } = await aFolder(
        `{ s3: { endpoint: '${endpoint.href}', bucket: ${bucket}, prefix: school/, accessKeyId: ${accessKeyId}, secretAccessKey: ${secretAccessKey} } }`,
      );
      const id = await aRecording(storage);
      expect((await run('list')).out).toContain(id);
      expect((await run('verify', id)).code).toBe(0);
      expect(await setHold({ storage }, id, { by: 'local:ada', at: 0 })).toBe(true);
      expect((await run('delete', id)).code).toBe(1);
      await storage.delete(`${id}/hold`);
      expect((await run('delete', id)).code).toBe(0);
      expect((await run('list')).out).toBe('There are no such recordings.\n');
      await storage.close();
    } finally {
      await server.stop();
    }
  });
});
