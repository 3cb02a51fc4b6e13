import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import {
  createPartName,
  createRecordingId,
  indexName,
  type PartAddress,
} from '@porthole/shared/recording/names';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { createPartWriter, type PartWriter } from '@porthole/shared/recording/write/part-writer';
import type { ChunkSink } from '@porthole/shared/recording/write/chunk-sink';
import { every, type Clock } from '@porthole/shared/time/clock';
import type { Spool, SpooledPart } from './spool.ts';

export interface RecorderDeps {
  readonly spool: Pick<Spool, 'openPart' | 'endAtFlushBytes'>;
  readonly storage: Pick<RecordingStorage, 'put'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** Milliseconds of a clock that is not set. */
  readonly monotonicMs: () => number;
  readonly flushMs: number;
  /** See PartWriterDeps. */
  readonly maxChunkMs?: number;
}

/** One connection of a session that is being recorded. */
export interface PartRecorder extends Pick<PartWriter, 'address' | 'record'> {
  /** Bytes from the server of a screen, from `start` to `end` of a source whose memory is reused after the call. */
  screen(source: Buffer, start?: number, end?: number): void;
  /** Output of a terminal, in any pieces. */
  terminalOutput(source: Buffer, start?: number, end?: number): void;
  /**
   * Whether the recorder is behind with this part, and its console must send nothing more until `onCaughtUp` is called, once.
   * Missing if consoles need not wait.
   */
  mustWait?(onCaughtUp: () => void): boolean;
  /** Ends the part, and hands its rest to the spool. Idempotent; the calls above do nothing after it. */
  end(reason: string): void;
}

export interface RecordPartOptions {
  /** The recording that a resumed session continues. Default: a new one. */
  readonly recording?: string | undefined;
  /** 1 for the first connection of a session, 2 for the next. */
  readonly ordinal: number;
  readonly facts: PartFacts;
  /** The spool is full: what is recorded from now on would be lost. End the part, and maybe the console. */
  readonly onFull: () => void;
  /** The recorder is lost, with what it has not stored. A new part can be begun. Default: `onFull`. */
  readonly onLost?: () => void;
  /** What the machine of a screen sends cannot be recorded from here on. */
  readonly onUnreadable?: (detail: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Begins a part. Resolves when the storage has its first index, so that a console that must be recorded opens only if it
 * can be; rejects with StorageError otherwise.
 */
export async function recordPart(deps: RecorderDeps, options: RecordPartOptions): Promise<PartRecorder> {
  const { clock, random } = deps;
  const address: PartAddress = {
    recording: options.recording ?? createRecordingId(clock.now(), random),
    part: createPartName(options.ordinal, random),
  };
  const part: SpooledPart = deps.spool.openPart(address, options.onFull);
  const sink: ChunkSink = { append: (chunk, pieces, finished) => part.append(chunk, pieces, finished) };
  const { endAtFlushBytes } = deps.spool;
  const writer = createPartWriter(
    { ...deps, wallMs: () => clock.now(), sink, endAtFlushBytes },
    address,
    options.facts,
  );
  try {
    await deps.storage.put(indexName(address), writer.index(), {
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    part.close();
    throw error;
  }

  function flush(): void {
    writer.flush();
    part.flush();
    if (writer.indexIsStale()) part.putIndex(writer.index());
  }

  const cancelFlush = every(clock, deps.flushMs, flush);
  let ended = false;
  return {
    address,
    screen: (source, start, end) => writer.screen(source, start, end),
    terminalOutput: (source, start, end) => writer.terminalOutput(source, start, end),
    record: writer.record,
    end(reason) {
      if (ended) return;
      ended = true;
      cancelFlush();
      writer.end(reason);
      part.putIndex(writer.index());
      part.close();
    },
  };
}
