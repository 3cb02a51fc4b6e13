import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constantSecret } from '@porthole/shared/config/secret';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import type { Clock } from '@porthole/shared/time/clock';
import { recordingKey, terminalPart, writeRecording } from '../../fakes/recordings/write-recording.ts';
import { aCluster, aUser, startBroker, usersFile, type Rig, type RigOptions } from '../rig.ts';

export const lessonAt = Date.UTC(2026, 0, 5, 8, 30);

export const users = constantSecret(
  usersFile(aUser('anna', 'class-a'), aUser('ina'), aUser('ada'), aUser('mia'), aUser('eve')),
);

/** ada sees and manages all recordings, mia those of machine 101, ina those of her class, anna and eve none. */
export const config: RigOptions['config'] = {
  access: [
    { who: { users: ['ada'] }, which: { all: true }, allow: ['recordings'] },
    { who: { users: ['mia'] }, which: { vmids: [101] }, allow: ['recordings'] },
    { who: { users: ['eve'] }, which: { all: true }, allow: ['control', 'watch', 'end', 'audit'] },
  ],
  classes: [
    {
      name: 'networks',
      members: { groups: ['class-a'] },
      instructors: { users: ['ina'] },
      machines: { tags: ['lab'] },
      own: ['lab-{user}'],
      instructorsSeeRecordings: true,
    },
    {
      name: 'history',
      members: { groups: ['class-a'] },
      instructors: { users: ['eve'] },
      machines: { tags: ['lab'] },
      own: ['lab-{user}'],
    },
  ],
};

export interface RecordingsRig {
  readonly rig: Rig;
  readonly storage: RecordingStorage;
  readonly directory: string;
}

const directories: string[] = [];

/** To be called after `closeBrokers`. */
export async function removeDirectories(): Promise<void> {
  await Promise.all(directories.splice(0).map((path) => rm(path, { recursive: true, force: true })));
}

export async function startRecordings(
  options: Pick<RigOptions, 'store' | 'pagesDir'> & {
    readonly clock?: Clock;
    readonly config?: RigOptions['config'];
  } = {},
): Promise<RecordingsRig> {
  const directory = await mkdtemp(join(tmpdir(), 'porthole-recordings-'));
  directories.push(directory);
  const rig = await startBroker({
    ...options,
    users,
    proxmox: [{ name: 'school', fake: await aCluster() }],
    config: {
      ...config,
      ...options.config,
      recordings: { encryptionKeys: constantSecret(recordingKey), storage: { directory } },
    },
  });
  return { rig, storage: createDirectoryStorage(directory), directory };
}

/** A terminal of three seconds. Answers the id of the recording. */
export async function aRecording(
  storage: RecordingStorage,
  over: Partial<Parameters<typeof writeRecording>[1]> = {},
): Promise<string> {
  const [first] = await writeRecording(storage, {
    startedAt: lessonAt,
    parts: [{ write: terminalPart(['one', 'two', 'three']) }],
    ...over,
    facts: { kind: 'terminal', ...over.facts },
  });
  return first?.recording ?? '';
}
