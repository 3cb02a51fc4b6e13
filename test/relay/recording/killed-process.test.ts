import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createRecordings } from '@porthole/relay/recording/open-recordings';
import { recordings } from '@porthole/shared/config/recordings-schema';
import { readRecording, type RecordingItem } from '@porthole/shared/recording/read/read-recording';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { endWithUs } from '../../fakes/end-with-us.ts';
import { contentOf, problemsOf, recordingKeys } from '../../shared/recording/sample-recording.ts';
import { recordedLog } from '../../shared/store/store-harness.ts';

interface Report {
  readonly recording?: string;
  readonly state?: string;
  readonly count?: number;
}

test('a process that is killed while the storage is away has lost nothing but its last flush interval', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-killed-'));
  const [directory, away, spool] = ['recordings', 'away', 'spool'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(directory);
  const script = fileURLToPath(new URL('record-until-killed.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', script, directory, spool], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithUs(child);
  const seen: { recording?: string; state?: string; count: number } = { count: 0 };
  createInterface(child.stdout).on('line', (line) => Object.assign(seen, JSON.parse(line) as Report));

  await eventually('the part has begun', () => seen.recording !== undefined);
  await rename(directory, away);
  await eventually('the storage fails', () => seen.state === 'failing');
  const countAtFailure = seen.count;
  // Two flushes later, at least what was recorded at the failure is in the spool.
  await eventually('more is recorded', () => seen.count > countAtFailure + 100);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await rename(away, directory);

  const config = recordings.parse({
    encryptionKeys: () => recordingKeys().join(' '),
    storage: { directory },
    spool: { directory: spool },
  });
  const next = createRecordings(config, {
    clock: systemClock,
    monotonicMs: () => performance.now(),
    random: randomBytes,
    log: recordedLog().log,
  });
  await next.start?.();
  await eventually('what was left is stored', () => next.usage().objects === 0);
  await next.stop?.();
  const items: RecordingItem[] = [];
  const deps = { storage: createDirectoryStorage(directory), keys: recordingKeys };
  for await (const item of readRecording(deps, seen.recording ?? '')) items.push(item);
  expect(problemsOf(items)).toEqual([]);
  const counts = contentOf(items).flatMap((record) => (record.type === 'mark' ? [Number(record.text)] : []));
  expect(counts).toEqual(counts.map((_, i) => i));
  expect(counts.length).toBeGreaterThan(countAtFailure);
  expect(await readdir(spool)).toEqual([]);
  await rm(folder, { recursive: true });
}, 60_000);
