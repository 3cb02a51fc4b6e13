import { createHash } from 'node:crypto';
import { maxObjectBytes, maxSegmentBytes } from '../limits.ts';
import { chunkName, ordinalOf, parseObjectName, type PartAddress } from '../names.ts';
import { createRecordDecoder, type TimedRecord } from '../record/decode-records.ts';
import { StorageError } from '../storage/storage-error.ts';
import { openObject, type ObjectProblem, type OpenedObject } from './open-object.ts';
import type { RecordingProblem, RecordingProblemKind } from './problem.ts';
import { readIndex, type PartIndex, type ReadDeps } from './read-index.ts';

/** What is read from a recording, in order. After a problem, reading goes on with what is left. */
export type RecordingItem =
  | { readonly kind: 'part'; readonly part: string; readonly index?: PartIndex }
  | {
      readonly kind: 'chunk';
      readonly part: string;
      readonly chunk: number;
      readonly records: readonly TimedRecord[];
    }
  | { readonly kind: 'problem'; readonly problem: RecordingProblem };

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** The chunk at which to begin in each part, such as one that begins with a keyframe. Default: 0. */
  readonly firstChunk?: number;
}

/** What the storage has of a recording: its parts in order, and the chunks of each. */
export interface StoredPart {
  readonly part: string;
  readonly chunks: readonly number[];
  readonly bytes: number;
}

/** Lists the parts of a recording without reading any. Answers none if there is no such recording. */
export async function listParts(
  { storage }: Pick<ReadDeps, 'storage'>,
  recording: string,
  signal?: AbortSignal,
): Promise<readonly StoredPart[]> {
  const parts = new Map<string, { part: string; chunks: number[]; bytes: number }>();
  for await (const { name, size } of storage.list(`${recording}/`, signal ? { signal } : {})) {
    const address = parseObjectName(name);
    if (!address) continue;
    const { part } = address;
    const known = parts.get(part) ?? { part, chunks: [], bytes: 0 };
    parts.set(part, known);
    known.bytes += size;
    if (address.kind === 'chunk') known.chunks.push(address.chunk);
  }
  return [...parts.values()];
}

/** Reads all parts of a recording. Rejects with StorageError if the storage does not answer. */
export async function* readRecording(
  deps: ReadDeps,
  recording: string,
  options: ReadOptions = {},
): AsyncIterable<RecordingItem> {
  let ordinal = 0;
  for (const stored of await listParts(deps, recording, options.signal)) {
    const found = ordinalOf(stored.part);
    if (found > ordinal + 1) yield { kind: 'problem', problem: { kind: 'missing_part' } };
    ordinal = Math.max(ordinal, found);
    yield* readPart(deps, { recording, part: stored.part }, stored.chunks, options);
  }
}

/** Reads one part. `chunks` are the numbers of its chunks in the storage, in order. */
export async function* readPart(
  deps: ReadDeps,
  address: PartAddress,
  chunks: readonly number[],
  options: ReadOptions = {},
): AsyncIterable<RecordingItem> {
  const { signal, firstChunk = 0 } = options;
  const { part } = address;
  const read = await readIndex(deps, address, signal);
  const index = read.value;
  yield { kind: 'part', part, ...(index ? { index } : {}) };
  if (read.problem) yield { kind: 'problem', problem: read.problem };

  const stored = new Set(chunks);
  const known = Math.max(index?.summary.chunks ?? 0, (chunks.at(-1) ?? -1) + 1);
  const decoder = createRecordDecoder();
  let previousHash: Buffer | undefined;
  let finished = false;
  for (let chunk = firstChunk; chunk < known; chunk++) {
    const problem = (kind: RecordingProblemKind): RecordingItem => ({
      kind: 'problem',
      problem: { kind, part, chunk },
    });
    const bytes = stored.has(chunk) ? await getChunk(deps, address, chunk, signal) : undefined;
    if (!bytes) {
      previousHash = undefined;
      decoder.reset();
      yield problem('missing_chunk');
      continue;
    }
    const opened = openObject(
      deps.keys,
      { ...address, kind: 'chunk', number: chunk },
      bytes,
      maxSegmentBytes,
    );
    // What the header says counts only if a segment, which is authentic, was sealed with it.
    const { header, segments } = opened;
    if (previousHash && header && segments.length > 0 && !previousHash.equals(header.previousHash))
      yield problem('broken_chain');
    const decoded = decodeSegments(opened, decoder.decode);
    if (decoded.records.length > 0) yield { kind: 'chunk', part, chunk, records: decoded.records };
    finished = opened.problem === undefined && !decoded.malformed;
    const inProgress = opened.problem === 'truncated' && chunk === known - 1 && !index?.summary.end;
    if (decoded.malformed) yield problem('damaged_chunk');
    else if (opened.problem && !inProgress) yield problem(chunkProblems[opened.problem]);
    if (!finished) decoder.reset();
    previousHash = finished ? createHash('sha256').update(bytes).digest() : undefined;
    const isLastIndexed = index && chunk === index.summary.chunks - 1;
    if (isLastIndexed && previousHash && !previousHash.equals(index.lastHash)) yield problem('broken_chain');
  }
}

function decodeSegments(
  { segments }: OpenedObject,
  decode: (plain: Uint8Array) => TimedRecord[] | undefined,
): { readonly records: readonly TimedRecord[]; readonly malformed: boolean } {
  const records: TimedRecord[] = [];
  for (const plain of segments) {
    const decoded = decode(plain);
    if (!decoded) return { records, malformed: true };
    for (const record of decoded) records.push(record);
  }
  return { records, malformed: false };
}

const chunkProblems: Readonly<Record<ObjectProblem, RecordingProblemKind>> = {
  misplaced: 'misplaced_chunk',
  damaged: 'damaged_chunk',
  truncated: 'truncated_chunk',
  unknown_key: 'unknown_key',
  unknown_version: 'damaged_chunk',
};

/** A chunk's object. Undefined if there is none. Rejects with StorageError if the storage does not answer. */
export async function getChunk(
  { storage }: ReadDeps,
  address: PartAddress,
  chunk: number,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  try {
    return await storage.get(chunkName(address, chunk), {
      maxBytes: maxObjectBytes,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    // It was deleted since it was listed.
    if (error instanceof StorageError && error.code === 'not_found') return undefined;
    throw error;
  }
}
