import { maxSegmentBytes } from '../limits.ts';
import { pieceFlags } from '../record/pieces.ts';
import { maxVarintBytes, varintLength, writeVarint } from '../record/varint.ts';

/**
 * Collects records until they are sealed. The memory is allocated once per part, because records come with every
 * frame of a console.
 */
export interface SegmentBuffer {
  /**
   * Appends a record, or as much of it as there is room for: `head`, then `body` from `offset` on. Answers how many
   * bytes of `body` were appended, or undefined if nothing was, because there is no room. Unless `independent`, a
   * piece that is not the last one has a flag that says so.
   */
  append(
    timeMs: number,
    type: number,
    head: Uint8Array,
    body: Uint8Array,
    offset: number,
    independent: boolean,
  ): number | undefined;
  /** Returns all records and begins anew. The result is valid until the next call of `append`. */
  take(): Uint8Array;
  isEmpty(): boolean;
  length(): number;
}

/** A piece that is shorter than this waits for the next segment, unless it is complete. */
const minPieceBytes = 64;

export function createSegmentBuffer(): SegmentBuffer {
  const buffer = new Uint8Array(maxSegmentBytes);
  let used = 0;
  let lastTime = 0;

  return {
    append(timeMs, type, head, body, offset, independent) {
      const left = body.length - offset;
      const start = used;
      const delta = used === 0 ? 0 : timeMs - lastTime;
      const front = used === 0 ? maxVarintBytes : 0;
      const room = buffer.length - used - front - 1 - varintLength(delta) - 4 - head.length;
      if (room < Math.min(left, minPieceBytes)) return undefined;
      const taken = Math.min(left, room);
      if (start === 0) used = writeVarint(buffer, used, timeMs);
      buffer[used++] = independent ? type : type | flagsOf(offset > 0, taken < left);
      used = writeVarint(buffer, used, delta);
      used = writeVarint(buffer, used, head.length + taken);
      buffer.set(head, used);
      used += head.length;
      buffer.set(taken === body.length ? body : body.subarray(offset, offset + taken), used);
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
