import type { Config } from '@porthole/shared/config/schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { createRecordingId } from '@porthole/shared/recording/names';
import { openRecordingStorage } from '@porthole/shared/recording/storage/open-storage';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { StorageError, type StorageErrorCode } from '@porthole/shared/recording/storage/storage-error';
import type { Clock } from '@porthole/shared/time/clock';
import { readAccessDocument } from '../../access/rules.ts';
import { deletionName } from '../../recordings/markers.ts';
import type { Finding, FindingKind } from './findings.ts';

const kindsOf: Readonly<Record<StorageErrorCode, FindingKind>> = {
  unavailable: 'recordings_unavailable',
  denied: 'recordings_denied',
  full: 'recordings_full',
  missing: 'recordings_missing',
  // It was written a moment ago.
  not_found: 'recordings_unavailable',
  invalid_name: 'recordings_unavailable',
};

/**
 * Writes, lists, reads and deletes one small object in the storage of recordings. Without one, looks for rules that require
 * recordings.
 */
export async function checkRecordings(
  config: Config,
  deps: { readonly clock: Clock; readonly random: RandomBytes },
): Promise<readonly Finding[]> {
  const { recordings } = config;
  if (!recordings) return rulesWithoutStorage(config);
  const storage = await openRecordingStorage(recordings, deps);
  let step = '';
  try {
    for (const [name, run] of stepsOf(storage, createRecordingId(deps.clock.now(), deps.random))) {
      step = name;
      await run();
    }
    return [];
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const where = recordings.storage.s3 ? `bucket ${recordings.storage.s3.bucket}` : 'recordings';
    return [{ kind: kindsOf[error.code], where, what: `It cannot ${step} an object: ${error.detail}.` }];
  } finally {
    await storage.close();
  }
}

function rulesWithoutStorage(config: Config): readonly Finding[] {
  const { access = [], classes = [] } = readAccessDocument(config) ?? {};
  const rules = [
    ...access.map(({ name, record }, index) => ({ where: `rule ${name ?? `access[${index}]`}`, record })),
    ...classes.map(({ name, record }) => ({ where: `class ${name}`, record })),
  ];
  return rules
    .filter(({ record }) => record?.mode === 'required')
    .map(({ where }) => ({
      kind: 'recordings_required',
      where,
      what: 'It requires recordings, and the configuration has none.',
    }));
}

/** Readers treat a recording with only this object as absent, and retention removes it, should this process end in between. */
function stepsOf(
  storage: RecordingStorage,
  id: string,
): readonly (readonly [string, () => Promise<unknown>])[] {
  const name = deletionName(id);
  return [
    ['write', () => storage.put(name, Buffer.from('{}'))],
    [
      'list',
      async () => {
        for await (const found of storage.list(`${id}/`)) if (found.name === name) return;
        throw new StorageError('not_found', 'it is not in the list');
      },
    ],
    ['read', () => storage.get(name)],
    ['delete', () => storage.delete(name)],
  ];
}
