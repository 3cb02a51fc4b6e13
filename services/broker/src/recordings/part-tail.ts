import { maxSegmentBytes } from '@porthole/shared/recording/limits';
import { openObject } from '@porthole/shared/recording/read/open-object';
import type { ReadDeps } from '@porthole/shared/recording/read/read-index';
import { getChunk } from '@porthole/shared/recording/read/read-recording';
import { createRecordDecoder, type TimedRecord } from '@porthole/shared/recording/record/decode-records';
import type { StoredRecording, SummarisedPart } from './stored-recording.ts';

/**
 * What a part has behind its index, which is written when a chunk ends: the records of the chunk that is in progress, or
 * that was when its relay was killed. Empty for a part with an end.
 */
export async function readTail(
  deps: ReadDeps,
  recording: string,
  { part, chunks, summary }: SummarisedPart,
  signal?: AbortSignal,
): Promise<readonly TimedRecord[]> {
  const chunk = chunks.at(-1);
  if (!summary || summary.end || chunk === undefined || chunk < summary.chunks) return [];
  const bytes = await getChunk(deps, { recording, part }, chunk, signal);
  if (!bytes) return [];
  const expected = { recording, part, kind: 'chunk', number: chunk } as const;
  const { segments } = openObject(deps.keys, expected, bytes, maxSegmentBytes);
  const decoder = createRecordDecoder();
  return segments
    .flatMap((plain) => decoder.decode(plain) ?? [])
    .filter(({ timeMs }) => timeMs > summary.durationMs);
}

/** The recording with the time that its parts have behind their indexes. */
export async function withTails(
  deps: ReadDeps,
  recording: StoredRecording,
  signal?: AbortSignal,
): Promise<StoredRecording> {
  let { durationMs } = recording;
  for (const part of recording.parts) {
    const last = (await readTail(deps, recording.id, part, signal)).at(-1);
    if (last && part.summary) durationMs += last.timeMs - part.summary.durationMs;
  }
  return { ...recording, durationMs };
}
