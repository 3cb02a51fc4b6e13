import type { RandomBytes } from '../../crypto/random.ts';
import type { SealKeys } from '../../crypto/seal.ts';
import { createIndexBuilder } from '../index/index-builder.ts';
import { sealIndex } from '../index/seal-index.ts';
import type { PartFacts } from '../index/part-facts.ts';
import { maxChunkMs as formatChunkMs, maxRecordBytes } from '../limits.ts';
import type { PartAddress } from '../names.ts';
import { createPartKey } from '../object/part-key.ts';
import { encodeRecord } from '../record/encode-record.ts';
import { recordTypes, type RecordingRecord } from '../record/record.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { createChunkWriter } from './chunk-writer.ts';
import { createSegmentBuffer, type Piece } from './segment-buffer.ts';

/** Writes one part of a recording. Synchronous; a call after `end` does nothing. */
export interface PartWriter {
  readonly address: PartAddress;
  /** Bytes from the server of a screen, from `start` to `end`. The bytes are copied. */
  screen(bytes: Uint8Array, start?: number, end?: number): void;
  /** Output of a terminal, in any pieces. The bytes are copied. */
  terminalOutput(bytes: Uint8Array, start?: number, end?: number): void;
  /** Any other record. A keyframe begins a new chunk. Throws RangeError if the record is too large. */
  record(record: RecordingRecord): void;
  /** Passes all that was written to the sink, and ends the chunk if it is old or large enough. Call it every few seconds. */
  flush(): void;
  /** The index as of now. */
  index(): Buffer;
  /** Writes the end, and flushes. Idempotent. */
  end(reason: string): void;
  /** Whether a chunk or the part has ended since `index` was called, or it was never called. */
  indexIsStale(): boolean;
}

export interface PartWriterDeps {
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  /** Milliseconds of a clock that is not set, such as performance.now. If it jumps back, times stand still. */
  readonly monotonicMs: () => number;
  /** Milliseconds since the Unix epoch. May jump. */
  readonly wallMs: () => number;
  readonly sink: ChunkSink;
  /** A flush ends a chunk whose object has at least so many bytes. Default: only old chunks. */
  readonly endAtFlushBytes?: number;
  /** Time from the first record of a chunk to its end. Default: that of the format. */
  readonly maxChunkMs?: number;
}

const terminalOutput = Uint8Array.of('o'.charCodeAt(0));
const none = new Uint8Array(0);

export function createPartWriter(deps: PartWriterDeps, address: PartAddress, facts: PartFacts): PartWriter {
  const { monotonicMs, wallMs, sink } = deps;
  const { endAtFlushBytes = Number.POSITIVE_INFINITY, maxChunkMs = formatChunkMs } = deps;
  const partKey = createPartKey(deps.keys, deps.random, address);
  const index = createIndexBuilder(facts, Math.round(wallMs()));
  const chunk = createChunkWriter({ address, partKey, sink });
  const buffer = createSegmentBuffer();
  let lastReading = monotonicMs();
  let time = 0;
  let chunkBeganAt = 0;
  let ended = false;
  let stale = true;

  /** Milliseconds since the part began. Whatever the clock does, they never decrease. */
  function advance(): number {
    const reading = monotonicMs();
    if (reading > lastReading) time += reading - lastReading;
    lastReading = reading;
    return Math.floor(time);
  }

  function seal(end: boolean): void {
    const ends = chunk.seal(buffer.take(), end);
    if (!ends) return;
    stale = true;
    index.chunkEnds(Math.floor(time), ends.plainBytes, ends.storedBytes);
  }

  function begin(now: number, withKeyframe: boolean): void {
    chunk.begin();
    chunkBeganAt = now;
    index.chunkBegins(now, chunk.number(), withKeyframe);
    const clock = encodeRecord({ type: 'clock', wallMs: Math.max(0, Math.round(wallMs())) });
    write(now, recordTypes.clock, clock.head, clock.body, 0, clock.body.length, 'first');
  }

  /** Writes pieces until all is written. */
  function write(
    now: number,
    type: number,
    head: Uint8Array,
    body: Uint8Array,
    start: number,
    end: number,
    first: Piece,
  ): void {
    let piece = first;
    let front = head;
    let at = start;
    for (;;) {
      if (!chunk.isOpen()) begin(now, false);
      const taken = buffer.append(now, type, front, body, at, end, piece);
      if (taken === undefined) {
        seal(false);
        continue;
      }
      at += taken;
      if (at === end) return;
      if (piece === 'independent') continue;
      piece = 'continues';
      front = none;
    }
  }

  function openChunkFor(now: number, withKeyframe: boolean): void {
    if (chunk.isOpen() && (withKeyframe || now - chunkBeganAt >= maxChunkMs)) seal(true);
    if (!chunk.isOpen()) begin(now, withKeyframe);
  }

  function bytes(type: number, head: Uint8Array, given: Uint8Array, start = 0, end = given.length): void {
    if (ended || start === end) return;
    const now = advance();
    openChunkFor(now, false);
    write(now, type, head, given, start, end, 'independent');
    index.bytes(now, end - start);
  }

  function record(given: RecordingRecord): void {
    if (ended) return;
    if (given.type === 'screen') return bytes(recordTypes.screen, none, given.bytes);
    if (given.type === 'terminal' && given.code === 'o')
      return bytes(recordTypes.terminal, terminalOutput, given.bytes);
    const now = advance();
    const { head, body } = encodeRecord(given);
    if (head.length + body.length > maxRecordBytes)
      throw new RangeError(`A record of ${head.length + body.length} bytes is too large.`);
    openChunkFor(now, given.type === 'keyframe');
    write(now, recordTypes[given.type], head, body, 0, body.length, 'first');
    index.record(now, given);
  }

  function flush(): void {
    if (ended || !chunk.isOpen()) return;
    const old = advance() - chunkBeganAt >= maxChunkMs;
    if (old || !buffer.isEmpty()) seal(old || chunk.storedBytes() + buffer.length() >= endAtFlushBytes);
  }

  record({ type: 'about', json: JSON.stringify(facts) });

  return {
    address,
    screen: (given, start, end) => bytes(recordTypes.screen, none, given, start, end),
    terminalOutput: (given, start, end) => bytes(recordTypes.terminal, terminalOutput, given, start, end),
    record,
    flush,
    index() {
      stale = false;
      return sealIndex({ partKey, address, lastHash: chunk.lastHash() }, index.read(Math.round(wallMs())));
    },
    end(reason) {
      if (ended) return;
      record({ type: 'end', reason });
      seal(true);
      index.end(Math.round(wallMs()), Math.floor(time), reason);
      ended = true;
      stale = true;
    },
    indexIsStale: () => stale,
  };
}
