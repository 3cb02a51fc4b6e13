import { maxSegmentBytes } from '../limits.ts';
import { pieceFlags } from '../record/pieces.ts';
import { maxVarintBytes, varintLength, writeVarint } from '../record/varint.ts';

/**
 * Collects records until they are sealed. The memory is kept for the next ones, because records come with every
 * frame of a console.
 */
export interface SegmentBuffer {
  /**
   * Appends a record, or as much of it as there is room for: `head`, then `body` from `start` to `end`. Answers how many
   * bytes of `body` were appended, or undefined if nothing was, because there is no room.
   */
  append(
    timeMs: number,
    type: number,
    head: Uint8Array,
    body: Uint8Array,
    start: number,
    end: number,
    piece: Piece,
  ): number | undefined;
  /** Returns all records and begins anew. The result is valid until the next call of `append`. */
  take(): Uint8Array;
  isEmpty(): boolean;
  length(): number;
}

/** `independent`: pieces are records of their own. Otherwise, the first piece of a record, or one that continues it. */
export type Piece = 'independent' | 'first' | 'continues';

/** A piece that is shorter than this waits for the next segment, unless it is complete. */
const minPieceBytes = 64;

/** Enough for consoles that show little between two flushes, which are most of many. */
const initialBytes = 4 * 1024;

export function createSegmentBuffer(): SegmentBuffer {
  let buffer = Buffer.allocUnsafeSlow(initialBytes);
  let used = 0;
  let lastTime = 0;

  function grow(): void {
    const larger = Buffer.allocUnsafeSlow(maxSegmentBytes);
    buffer.copy(larger, 0, 0, used);
    buffer = larger;
  }

  return {
    append(timeMs, type, head, body, start, end, piece) {
      const left = end - start;
      const delta = used === 0 ? 0 : timeMs - lastTime;
      const front = used === 0 ? maxVarintBytes : 0;
      const besides = used + front + 1 + varintLength(delta) + 4 + head.length;
      if (besides + left > buffer.length && buffer.length < maxSegmentBytes) grow();
      const room = buffer.length - besides;
      if (room < Math.min(left, minPieceBytes)) return undefined;
      const taken = Math.min(left, room);
      if (used === 0) used = writeVarint(buffer, used, timeMs);
      buffer[used++] = piece === 'independent' ? type : type | flagsOf(piece === 'continues', taken < left);
      used = writeVarint(buffer, used, delta);
      used = writeVarint(buffer, used, head.length + taken);
      buffer.set(head, used);
      used += head.length;
      if (Buffer.isBuffer(body)) body.copy(buffer, used, start, start + taken);
      else buffer.set(body.subarray(start, start + taken), used);
      used += taken;
      lastTime = timeMs;
      return taken;
    },
    take() {
      const taken = buffer.subarray(0, used);
      used = 0;
      return taken;
    },
    isEmpty: () => used === 0,
    length: () => used,
  };
}

const flagsOf = (continues: boolean, moreFollow: boolean) =>
  (continues ? pieceFlags.continues : 0) | (moreFollow ? pieceFlags.moreFollow : 0);
