import { grantKeysOf } from '@porthole/shared/config/read';
import type { RecordingsConfig } from '@porthole/shared/config/recordings-schema';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { PortholeError } from '@porthole/shared/errors';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { openRecordingStorage } from '@porthole/shared/recording/storage/open-storage';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import type { Clock } from '@porthole/shared/time/clock';

/** The recordings of the installation. */
export interface OpenRecordings {
  readonly storage: RecordingStorage;
  readonly keys: SealKeys;
}

export interface RecordingSource {
  /** Throws `recordings_unavailable` before the start and after the stop. */
  open(): OpenRecordings;
  readonly component: LifecycleComponent;
}

/** Opens the configured storage at the start, because its library takes time and memory, and closes it at the stop. */
export function createRecordingSource(
  config: RecordingsConfig,
  deps: { readonly clock: Clock },
): RecordingSource {
  const keys = grantKeysOf(config.encryptionKeys);
  let storage: RecordingStorage | undefined;
  return {
    open() {
      if (!storage) throw new PortholeError('recordings_unavailable', { detail: 'not started' });
      return { storage, keys };
    },
    component: {
      name: 'recordings',
      async start() {
        storage = await openRecordingStorage(config, deps);
      },
      async stop() {
        const opened = storage;
        storage = undefined;
        await opened?.close();
      },
    },
  };
}

/** What clients are told when the storage fails. Other errors stay what they are. */
export function asRecordingError(error: unknown): unknown {
  return error instanceof StorageError
    ? new PortholeError('recordings_unavailable', { detail: error.message, cause: error })
    : error;
}
