import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listParts, readRecording, type RecordingItem } from '@porthole/shared/recording/read/read-recording';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { recordingKeys } from '../../shared/recording/sample-recording.ts';

export const recorded = (
  more: Partial<NonNullable<GrantClaims['recording']>> = {},
): Pick<GrantClaims, 'recording'> => ({
  recording: { mode: 'required', keys: false, clipboard: false, rule: 'exam', ...more },
});

/** A directory for recordings, and what a broker reads there. */
export async function createRecordingFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-recorded-'));
  const directory = join(folder, 'recordings');
  await mkdir(directory);
  const storage = createDirectoryStorage(directory);
  const deps = { storage, keys: recordingKeys };

  return {
    directory,
    /** The setting `recordings` of a relay. */
    config: {
      encryptionKeys: () => recordingKeys().join(' '),
      storage: { directory },
      spool: { directory: join(folder, 'spool'), flushSeconds: 1 },
    },
    /** Size of the relay's journal. */
    async journalBytes(): Promise<number> {
      const names = await readdir(join(folder, 'spool'));
      const sizes = await Promise.all(
        names.map((name) => stat(join(folder, 'spool', name)).then(({ size }) => size)),
      );
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    recordings: async () => (await readdir(directory)).filter((name) => /^\d{8}-/.test(name)).sort(),
    async read(recording: string): Promise<RecordingItem[]> {
      const items: RecordingItem[] = [];
      for await (const item of readRecording(deps, recording)) items.push(item);
      return items;
    },
    parts: (recording: string) => listParts(deps, recording),
    /** All bytes that are stored, as they are. */
    async stored(): Promise<Buffer> {
      const names = await readdir(directory, { recursive: true, withFileTypes: true });
      const files = names.filter((entry) => entry.isFile());
      return Buffer.concat(await Promise.all(files.map((one) => readFile(join(one.parentPath, one.name)))));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export type RecordingFolder = Awaited<ReturnType<typeof createRecordingFolder>>;
