import { decodeRecord } from './decode-record.ts';
import { pieceFlags, typeMask } from './pieces.ts';
import type { RecordingRecord } from './record.ts';
import { readVarint } from './varint.ts';
import { maxRecordBytes } from '../limits.ts';

export interface TimedRecord {
  /** Milliseconds since the part began. */
  readonly timeMs: number;
  readonly record: RecordingRecord;
}

/** Reads the plain data of a part's segments, in order. Runs in browsers, too. */
export interface RecordDecoder {
  /** Returns the records that end in this segment. Undefined if the data is malformed; the decoder can go on. */
  decode(plain: Uint8Array): TimedRecord[] | undefined;
  /** Forgets the pieces of a record whose rest was lost. Call it when segments are missing. */
  reset(): void;
}

export function createRecordDecoder(): RecordDecoder {
  let pieces: Uint8Array[] = [];
  let pieceBytes = 0;
  let pieceType: number | undefined;

  function reset(): void {
    pieces = [];
    pieceBytes = 0;
    pieceType = undefined;
  }

  /** Answers the complete data, or undefined if more pieces follow, or if earlier ones were lost. */
  function join(type: number, flags: number, data: Uint8Array): Uint8Array | undefined {
    const more = (flags & pieceFlags.moreFollow) !== 0;
    const continues = (flags & pieceFlags.continues) !== 0;
    // The clock at the beginning of a chunk can stand between two pieces.
    if (!more && !continues) return data;
    if (!continues) reset();
    else if (pieceType !== type) return undefined;
    pieceBytes += data.length;
    if (pieceBytes > maxRecordBytes + 16) {
      reset();
      return undefined;
    }
    pieceType = type;
    pieces.push(data);
    if (more) return undefined;
    const joined = new Uint8Array(pieceBytes);
    let at = 0;
    for (const piece of pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    reset();
    return joined;
  }

  function decode(plain: Uint8Array): TimedRecord[] | undefined {
    const records: TimedRecord[] = [];
    if (plain.length === 0) return records;
    const cursor = { at: 0 };
    let timeMs = readVarint(plain, cursor);
    while (cursor.at < plain.length) {
      const first = plain[cursor.at++] ?? 0;
      const delta = readVarint(plain, cursor);
      const length = readVarint(plain, cursor);
      if (timeMs === undefined || delta === undefined || length === undefined) return undefined;
      if (length > plain.length - cursor.at) return undefined;
      timeMs += delta;
      const data = plain.subarray(cursor.at, cursor.at + length);
      cursor.at += length;
      const type = first & typeMask;
      const joined = join(type, first, data);
      const record = joined && decodeRecord(type, joined);
      if (record) records.push({ timeMs, record });
    }
    return timeMs === undefined ? undefined : records;
  }

  return { decode, reset };
}
