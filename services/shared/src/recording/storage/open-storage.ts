import type { RecordingsConfig } from '../../config/recordings-schema.ts';
import type { Clock } from '../../time/clock.ts';
import type { RecordingStorage } from './port.ts';

/** Opens the configured storage. Loads the AWS SDK only if it is needed, because that takes time and memory. */
export async function openRecordingStorage(
  { storage }: Pick<RecordingsConfig, 'storage'>,
  deps: { readonly clock: Clock },
): Promise<RecordingStorage> {
  if (storage.directory !== undefined) {
    const { createDirectoryStorage } = await import('./directory-storage.ts');
    return createDirectoryStorage(storage.directory);
  }
  if (!storage.s3) throw new Error('The schema requires a storage.');
  const { caFile, ...options } = storage.s3;
  const { createS3Storage } = await import('./s3-storage.ts');
  return createS3Storage({ ...options, ...(caFile ? { ca: caFile() } : {}) }, deps);
}
