import { crc32 } from 'node:zlib';
import { bytesOf } from './bytes-of.ts';

/**
 * What a journal says about an object:
 *
 * - `append`: bytes of the object from a position on. What was there before from that position on is invalid.
 * - `release`: the storage has the object, and what the journal says about it before is invalid.
 *
 * A record, with numbers in big endian:
 *
 *     4 bytes  CRC-32 of all that follows
 *     1 byte   kind: 0 append, 1 release
 *     1 byte   length of the name
 *     4 bytes  position in the object
 *     4 bytes  length of the bytes
 *     the name in ASCII, then the bytes
 */
export interface JournalRecord {
  readonly kind: JournalRecordKind;
  readonly name: string;
  /** In bytes. */
  readonly position: number;
  /** Where the bytes begin in the file of the journal. */
  readonly offset: number;
  readonly length: number;
}

const kinds = ['append', 'release'] as const;
export type JournalRecordKind = (typeof kinds)[number];

const headBytes = 14;
const checksumBytes = 4;

/** What stands in front of the bytes of a record. */
export function encodeRecordHead(
  { kind, name, position }: Pick<JournalRecord, 'kind' | 'name' | 'position'>,
  pieces: readonly Uint8Array[],
): Buffer {
  const head = Buffer.alloc(headBytes + name.length);
  head.writeUInt8(kinds.indexOf(kind), 4);
  head.writeUInt8(name.length, 5);
  head.writeUInt32BE(position, 6);
  head.writeUInt32BE(bytesOf(pieces), 10);
  head.write(name, headBytes, 'latin1');
  const checksum = pieces.reduce((sum, piece) => crc32(piece, sum), crc32(head.subarray(checksumBytes)));
  head.writeUInt32BE(checksum);
  return head;
}

/** The records of a file, up to the first that is incomplete or damaged: a process was killed while it wrote. */
export function* readRecords(file: Buffer): Iterable<JournalRecord> {
  for (let at = 0; at + headBytes <= file.length;) {
    const kind = kinds[file.readUInt8(at + 4)];
    const offset = at + headBytes + file.readUInt8(at + 5);
    const length = file.readUInt32BE(at + 10);
    const end = offset + length;
    if (!kind || end > file.length) return;
    if (crc32(file.subarray(at + checksumBytes, end)) !== file.readUInt32BE(at)) return;
    const name = file.toString('latin1', at + headBytes, offset);
    yield { kind, name, position: file.readUInt32BE(at + 6), offset, length };
    at = end;
  }
}
