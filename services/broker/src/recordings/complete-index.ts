import { createIndexBuilder } from '@porthole/shared/recording/index/index-builder';
import type { PartDetails } from '@porthole/shared/recording/index/part-index';
import {
  readIndex,
  type PartIndex,
  type ReadDeps,
  type ReadIndex,
} from '@porthole/shared/recording/read/read-index';
import type { TimedRecord } from '@porthole/shared/recording/record/decode-records';
import { readTail } from './part-tail.ts';
import type { StoredRecording, SummarisedPart } from './stored-recording.ts';

/**
 * Reads the indexes of all parts in order, each with what the part has behind it (part-tail.ts), and returns the recording with
 * the time of that. Rejects with StorageError.
 */
export async function readCompleteIndexes(
  deps: ReadDeps,
  recording: StoredRecording,
  signal?: AbortSignal,
): Promise<{ readonly recording: StoredRecording; readonly indexes: readonly ReadIndex<PartIndex>[] }> {
  const { id, parts } = recording;
  const indexes = await Promise.all(parts.map((part) => readCompleteIndex(deps, id, part, signal)));
  const durationMs = parts.reduce(
    (sum, { summary }, at) => sum + ((indexes[at]?.value?.summary ?? summary)?.durationMs ?? 0),
    0,
  );
  return { recording: { ...recording, durationMs }, indexes };
}

async function readCompleteIndex(
  deps: ReadDeps,
  recording: string,
  part: SummarisedPart,
  signal?: AbortSignal,
): Promise<ReadIndex<PartIndex>> {
  const read = await readIndex(deps, { recording, part: part.part }, signal);
  if (!read.value) return read;
  // The tail is behind the index that was read here: it may be newer than the summary of the part.
  const tail = await readTail(deps, recording, { ...part, summary: read.value.summary }, signal);
  return { value: complete(read.value, tail) };
}

function complete(index: PartIndex, tail: readonly TimedRecord[]): PartIndex {
  const last = tail.at(-1);
  if (!last) return index;
  const { summary, details } = index;
  const added = detailsOf(index, tail);
  return {
    ...index,
    summary: { ...summary, durationMs: last.timeMs },
    details: {
      ...details,
      activity: addActivity(details.activity, added.activity),
      resizes: [...details.resizes, ...added.resizes],
      observers: [...details.observers, ...added.observers],
      marks: [...details.marks, ...added.marks],
      omittedEvents: details.omittedEvents + added.omittedEvents,
    },
  };
}

function detailsOf({ summary: { facts, startedAt } }: PartIndex, tail: readonly TimedRecord[]): PartDetails {
  const builder = createIndexBuilder(facts, startedAt);
  for (const { timeMs, record } of tail)
    if (record.type === 'screen' || (record.type === 'terminal' && record.code === 'o'))
      builder.bytes(timeMs, record.bytes.length);
    else builder.record(timeMs, record);
  return builder.read(startedAt).details;
}

type Activity = PartDetails['activity'];

/** Both begin with the part. The buckets stay those of the first. */
function addActivity(activity: Activity, added: Activity): Activity {
  const add = (kind: 'bytes' | 'keys' | 'pointer') => {
    const counts = [...activity[kind]];
    for (const [from, count] of added[kind].entries()) {
      const bucket = Math.floor((from * added.bucketSeconds) / activity.bucketSeconds);
      while (counts.length <= bucket) counts.push(0);
      counts[bucket] = (counts[bucket] ?? 0) + count;
    }
    return counts;
  };
  return { ...activity, bytes: add('bytes'), keys: add('keys'), pointer: add('pointer') };
}
