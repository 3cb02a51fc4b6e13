import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import type { PartSummary } from '@porthole/shared/recording/index/part-index';
import { ordinalOf, startOf } from '@porthole/shared/recording/names';
import type { RecordingProblem } from '@porthole/shared/recording/read/problem';
import { readSummary, type ReadDeps } from '@porthole/shared/recording/read/read-index';
import { listParts, type StoredPart } from '@porthole/shared/recording/read/read-recording';
import { markerOf, type Marker } from './markers.ts';

/** A recording as the storage has it, without its chunks. */
export interface StoredRecording {
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Of the first part whose index can be read. Undefined if there is none: then only few users may see it. */
  readonly facts: PartFacts | undefined;
  readonly parts: readonly SummarisedPart[];
  /** What can be played, without the time between parts. */
  readonly durationMs: number;
  readonly bytes: number;
  /** When it was last written, as far as known. */
  readonly lastAt: number;
  /** Whether the last part has an end. */
  readonly ended: boolean;
  readonly held: boolean;
  /** A deletion has begun. */
  readonly deleting: boolean;
  /** What can be seen without reading the chunks. */
  readonly problems: readonly RecordingProblem[];
}

export interface SummarisedPart extends StoredPart {
  readonly summary?: PartSummary;
}

/** Lists the parts of a recording and the markers beside them, with one request to the storage. */
export async function listRecording(
  { storage }: Pick<ReadDeps, 'storage'>,
  id: string,
  signal?: AbortSignal,
): Promise<{ readonly parts: readonly StoredPart[]; readonly markers: ReadonlySet<Marker> }> {
  const markers = new Set<Marker>();
  const observed: ReadDeps['storage'] = {
    ...storage,
    async *list(prefix, options) {
      for await (const object of storage.list(prefix, options)) {
        const marker = markerOf(object.name);
        if (marker) markers.add(marker);
        yield object;
      }
    },
  };
  return { parts: await listParts({ storage: observed }, id, signal), markers };
}

/** Reads what lists show of a recording. Undefined if there is none. Rejects with StorageError. */
export async function readStoredRecording(
  deps: ReadDeps,
  id: string,
  signal?: AbortSignal,
): Promise<StoredRecording | undefined> {
  const { parts, markers } = await listRecording(deps, id, signal);
  if (parts.length === 0 && markers.size === 0) return undefined;
  const problems: RecordingProblem[] = [];
  const read = await Promise.all(parts.map(({ part }) => readSummary(deps, { recording: id, part }, signal)));
  let ordinal = 0;
  const summarised = parts.map((stored, index): SummarisedPart => {
    const found = ordinalOf(stored.part);
    if (found > ordinal + 1) problems.push({ kind: 'missing_part' });
    ordinal = Math.max(ordinal, found);
    const { value: summary, problem } = read[index] ?? {};
    if (problem) problems.push(problem);
    problems.push(...missingChunks(stored, summary));
    return summary ? { ...stored, summary } : stored;
  });
  const summaries = summarised.flatMap(({ summary }) => summary ?? []);
  const startedAt = summaries[0]?.startedAt ?? startOf(id);
  return {
    id,
    startedAt,
    facts: summaries[0]?.facts,
    parts: summarised,
    durationMs: summaries.reduce((sum, { durationMs }) => sum + durationMs, 0),
    bytes: summarised.reduce((sum, { bytes }) => sum + bytes, 0),
    lastAt: Math.max(startedAt, ...summaries.map(({ updatedAt, end }) => end?.at ?? updatedAt)),
    ended: summarised.at(-1)?.summary?.end !== undefined,
    held: markers.has('hold'),
    deleting: markers.has('deletion'),
    problems,
  };
}

/** A part with an end has all chunks below the number in its index; another one can have one more. */
function missingChunks({ part, chunks }: StoredPart, summary: PartSummary | undefined): RecordingProblem[] {
  const known = Math.max(summary?.chunks ?? 0, (chunks.at(-1) ?? -1) + 1);
  if (chunks.length === known) return [];
  const stored = new Set(chunks);
  const missing: RecordingProblem[] = [];
  for (let chunk = 0; chunk < known && missing.length < maxProblems; chunk++)
    if (!stored.has(chunk)) missing.push({ kind: 'missing_chunk', part, chunk });
  return missing;
}

/** A foreign index could claim millions of chunks. */
const maxProblems = 100;
