import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { deletionName, holdName } from './markers.ts';
import { listRecording } from './stored-recording.ts';

/** Answers false, without a hold, if a deletion of the recording has begun or there is none. */
export async function setHold(
  deps: { readonly storage: RecordingStorage },
  id: string,
  { by, at }: { readonly by: string; readonly at: number },
): Promise<boolean> {
  await deps.storage.put(holdName(id), Buffer.from(JSON.stringify({ by, at: new Date(at).toISOString() })));
  const { parts, markers } = await listRecording(deps, id);
  if (parts.length > 0 && !markers.has('deletion')) return true;
  await deps.storage.delete(holdName(id));
  return false;
}

export async function removeHold(
  { storage }: { readonly storage: Pick<RecordingStorage, 'delete'> },
  id: string,
): Promise<void> {
  await storage.delete(holdName(id));
}

/**
 * Deletes all objects of a recording, the indexes last: after an interruption, the marker tells retention to go on.
 * Answers false, and deletes nothing, if the recording is on legal hold.
 */
export async function deleteRecordingObjects(
  deps: { readonly storage: RecordingStorage },
  id: string,
): Promise<boolean> {
  const { storage } = deps;
  await storage.put(deletionName(id), Buffer.from('{}'));
  const { markers } = await listRecording(deps, id);
  if (markers.has('hold')) {
    await storage.delete(deletionName(id));
    return false;
  }
  const indexes: string[] = [];
  const chunks: string[] = [];
  for await (const { name } of storage.list(`${id}/`)) {
    if (name.endsWith('/index')) indexes.push(name);
    else if (name !== deletionName(id)) chunks.push(name);
  }
  for (let at = 0; at < chunks.length; at += batchSize)
    await Promise.all(chunks.slice(at, at + batchSize).map((name) => storage.delete(name)));
  for (const name of [...indexes, deletionName(id)]) await storage.delete(name);
  return true;
}

const batchSize = 16;
