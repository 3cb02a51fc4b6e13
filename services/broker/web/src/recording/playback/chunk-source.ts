import { createRecordDecoder, type TimedRecord } from '@porthole/shared/recording/record/decode-records';
import { api, type Problem } from '../../api.ts';

/** The records of a part, chunk after chunk. */
export interface PartReader {
  /** Records of the next chunk. Undefined behind the last one. Rejects with `ChunkError` if there is no answer. */
  next(): Promise<ReadChunk | undefined>;
}

export interface ReadChunk {
  readonly chunk: number;
  readonly records: readonly TimedRecord[];
  /** Something of it is missing or damaged. */
  readonly damaged: boolean;
}

export class ChunkError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.code);
    this.problem = problem;
  }
}

/** Chunks that are requested ahead. */
const ahead = 6;
/** Chunks of at most 1 MiB that are kept, so that a seek backwards need not load them again. */
const cachedChunks = 64;

interface LoadedChunk {
  readonly segments: readonly Uint8Array[];
  readonly damaged: boolean;
}

export function createChunkSource(recording: string) {
  const cache = new Map<string, Promise<LoadedChunk>>();

  function load(part: string, chunk: number): Promise<LoadedChunk> {
    const key = `${part}/${chunk}`;
    const known = cache.get(key);
    if (known) return known;
    const loading = api.recordingChunk(recording, part, chunk).then((answer): LoadedChunk => {
      if (answer.ok)
        return { segments: split(answer.value.bytes), damaged: answer.value.problem !== undefined };
      if (answer.problem.code === 'not_found') return { segments: [], damaged: true };
      throw new ChunkError(answer.problem);
    });
    loading.catch(() => cache.delete(key));
    cache.set(key, loading);
    const [oldest] = cache.keys();
    if (cache.size > cachedChunks && oldest !== undefined) cache.delete(oldest);
    return loading;
  }

  return {
    read(
      part: { readonly part: string; readonly chunkCount: number; readonly hasEnd: boolean },
      first: number,
    ): PartReader {
      const decoder = createRecordDecoder();
      let chunk = first;
      return {
        async next() {
          if (chunk >= part.chunkCount) return undefined;
          const number = chunk++;
          for (let next = number; next < Math.min(part.chunkCount, number + ahead); next++)
            load(part.part, next).catch(() => {});
          const loaded = await load(part.part, number);
          const records: TimedRecord[] = [];
          let damaged = loaded.damaged;
          for (const segment of loaded.segments) {
            const decoded = decoder.decode(segment);
            if (!decoded) damaged = true;
            else records.push(...decoded);
          }
          if (damaged) decoder.reset();
          // The last chunk of a part in progress, or of a relay that was killed, has no end.
          const inProgress = !part.hasEnd && number === part.chunkCount - 1 && loaded.segments.length > 0;
          return { chunk: number, records, damaged: damaged && !inProgress };
        },
      };
    },
  };
}

export type ChunkSource = ReturnType<typeof createChunkSource>;

/** Segments, each with its length in four bytes in front. */
function split(bytes: ArrayBuffer): readonly Uint8Array[] {
  const view = new DataView(bytes);
  const segments: Uint8Array[] = [];
  for (let at = 0; at + 4 <= bytes.byteLength;) {
    const length = view.getUint32(at);
    segments.push(new Uint8Array(bytes, at + 4, length));
    at += 4 + length;
  }
  return segments;
}
