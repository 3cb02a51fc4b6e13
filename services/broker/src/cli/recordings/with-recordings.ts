import type { Audit } from '@porthole/shared/audit/audit';
import { grantKeysOf, readConfig } from '@porthole/shared/config/read';
import { isRecordingId } from '@porthole/shared/recording/names';
import { openRecordingStorage } from '@porthole/shared/recording/storage/open-storage';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import { systemClock } from '@porthole/shared/time/clock';
import type { OpenRecordings } from '../../recordings/recording-source.ts';
import { readStoredRecording, type StoredRecording } from '../../recordings/stored-recording.ts';
import { openCommandAudit, operatorOf } from '../command-audit.ts';
import { CommandError, UsageError, type CommandIo } from '../command.ts';

export interface RecordingsContext extends OpenRecordings {
  readonly audit: Audit;
  readonly operator: { readonly id: string; readonly name: string };
}

/** Runs a command with the storage of recordings, and closes it afterwards. Needs neither Redis nor a broker. */
export async function withRecordings(
  { env, cwd, stderr }: Pick<CommandIo, 'env' | 'cwd' | 'stderr'>,
  work: (context: RecordingsContext) => Promise<void>,
): Promise<void> {
  const config = readConfig(env, cwd);
  if (!config.recordings) throw new CommandError('The configuration has no recordings.');
  try {
    const storage = await openRecordingStorage(config.recordings, { clock: systemClock });
    try {
      const audit = openCommandAudit(config, stderr);
      const keys = grantKeysOf(config.recordings.encryptionKeys);
      await work({ storage, keys, audit, operator: operatorOf(env) });
    } finally {
      await storage.close();
    }
  } catch (error) {
    if (error instanceof StorageError) throw new CommandError(error.message);
    throw error;
  }
}

/** The one recording that the arguments name. */
export function idIn(positionals: readonly string[]): string {
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0) throw new UsageError('Give the id of one recording.');
  if (!isRecordingId(id)) throw new UsageError(`${id} is not the id of a recording.`);
  return id;
}

export async function requireStored(context: RecordingsContext, id: string): Promise<StoredRecording> {
  const recording = await readStoredRecording(context, id);
  if (!recording || recording.deleting) throw new CommandError(`There is no recording ${id}.`);
  return recording;
}

/** Which consoles are open is in Redis, which these commands do not need. */
export const noneIsLive = () => false;
