import { maxSegmentBytes } from '@porthole/shared/recording/limits';
import { bytesOf } from './bytes-of.ts';

/**
 * Memory for sealed segments that is used again and again. Left to the garbage collector, they would make it look for garbage
 * in all of the thread's memory each time that there are some megabytes of them, which takes longer than to record them.
 */
export interface BlockPool {
  /** Copies the pieces of a segment into one buffer, and frees their memory: nothing else may use them. Few bytes stay as they are. */
  join(pieces: readonly Buffer[]): readonly Buffer[];
  /** Nothing uses these buffers any more. Those that are not of this pool are left to the garbage collector. */
  release(buffers: readonly Buffer[]): void;
}

/** A full segment with the header of its object. */
const blockBytes = maxSegmentBytes + 2048;
/** A block would be mostly empty. */
const minBytes = blockBytes / 2;

export function createBlockPool(maxSpareBytes: number): BlockPool {
  const spare: ArrayBuffer[] = [];
  // Blocks that are never released, because an upload may still use them, are left to the garbage collector.
  const used = new WeakSet<ArrayBuffer>();
  const maxSpare = Math.floor(maxSpareBytes / blockBytes);

  return {
    join(pieces) {
      const bytes = bytesOf(pieces);
      if (bytes < minBytes || bytes > blockBytes) return pieces;
      const memory = spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes).buffer;
      used.add(memory);
      const block = Buffer.from(memory, 0, bytes);
      let at = 0;
      for (const piece of pieces) {
        at += piece.copy(block, at);
        freeMemory(piece);
      }
      return [block];
    },
    release(buffers) {
      for (const { buffer } of buffers) {
        if (!(buffer instanceof ArrayBuffer) || !used.delete(buffer)) continue;
        if (spare.length < maxSpare) spare.push(buffer);
        else buffer.transfer(0);
      }
    },
  };
}

/** Frees the memory of a buffer that nothing uses any more, if it shares that with no other buffer. */
export function freeMemory({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
