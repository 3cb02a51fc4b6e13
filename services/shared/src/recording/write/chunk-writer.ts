import { createHash, type Hash } from 'node:crypto';
import { maxChunkBytes, maxSegmentBytes } from '../limits.ts';
import { maxChunks, type PartAddress } from '../names.ts';
import { createCompressor } from '../object/compressor.ts';
import { encodeObjectHeader, hashBytes } from '../object/object-header.ts';
import type { PartKey } from '../object/part-key.ts';
import { sealSegment } from '../object/segment.ts';
import type { ChunkSink } from './chunk-sink.ts';

export interface ChunkWriter {
  isOpen(): boolean;
  number(): number;
  begin(): void;
  /** Of the chunk's object as of now. */
  storedBytes(): number;
  /**
   * Seals the data as the next segment. Answers the sizes of the chunk if this is its last one: if `end` is set, or if
   * the chunk is full.
   */
  seal(data: Uint8Array, end: boolean): { plainBytes: number; storedBytes: number } | undefined;
  /** SHA-256 of the last finished chunk. */
  lastHash(): Uint8Array;
}

export function createChunkWriter(deps: {
  readonly address: PartAddress;
  readonly partKey: PartKey;
  readonly sink: ChunkSink;
}): ChunkWriter {
  const { address, partKey, sink } = deps;
  const compressor = createCompressor();
  let number = -1;
  let header: Buffer | undefined;
  let hash: Hash | undefined;
  let lastHash: Uint8Array = new Uint8Array(hashBytes);
  let segment = 0;
  let plainBytes = 0;
  let storedBytes = 0;

  return {
    isOpen: () => header !== undefined,
    number: () => number,
    lastHash: () => lastHash,
    storedBytes: () => storedBytes,
    begin() {
      number++;
      if (number >= maxChunks) throw new RangeError('The part has too many chunks.');
      const { keyId, sealedKey } = partKey;
      header = encodeObjectHeader({
        ...address,
        kind: 'chunk',
        number,
        previousHash: lastHash,
        keyId,
        sealedKey,
      });
      hash = createHash('sha256');
      segment = plainBytes = storedBytes = 0;
    },
    seal(data, end) {
      if (!header || !hash) throw new Error('No chunk is open.');
      plainBytes += data.length;
      const last = end || plainBytes + maxSegmentBytes > maxChunkBytes;
      const compressed = compressor.compress(data);
      const sealed = sealSegment(
        { key: partKey.key, header, kind: 'chunk', number, segment },
        compressed ?? data,
        { plainLength: data.length, compressed: compressed !== undefined, last },
      );
      const pieces = segment === 0 ? [Buffer.from(header), ...sealed] : sealed;
      segment++;
      for (const piece of pieces) {
        storedBytes += piece.length;
        hash.update(piece);
      }
      if (last) {
        lastHash = hash.digest();
        header = hash = undefined;
      }
      sink.append(number, pieces, last);
      return last ? { plainBytes, storedBytes } : undefined;
    },
  };
}
