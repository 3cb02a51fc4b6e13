import { partNameLength, recordingIdLength, type PartAddress } from '../names.ts';

/**
 * The header in front of each object. All objects of a part carry the part's key, sealed, so that each can be read
 * without any other. The header is not encrypted; the segments behind it authenticate all of its bytes.
 */
export interface ObjectHeader extends PartAddress {
  readonly kind: ObjectKind;
  /** The number of the chunk, or the revision of the index. */
  readonly number: number;
  /** SHA-256 of the object of the chunk before; for an index, of the last finished chunk. Zeros if there is none. */
  readonly previousHash: Uint8Array;
  /** Identifies the recording key that sealed the part's key. */
  readonly keyId: Uint8Array;
  readonly sealedKey: string;
}

export const objectKinds = { chunk: 1, index: 2 } as const;
export type ObjectKind = keyof typeof objectKinds;

export const formatVersion = 1;
export const hashBytes = 32;
export const keyIdBytes = 8;
const magic = Buffer.from('PHRC');
const fixedBytes = 8 + recordingIdLength + partNameLength + 4 + hashBytes + keyIdBytes + 2;
const maxSealedKeyLength = 256;

export function encodeObjectHeader(header: ObjectHeader): Buffer {
  const bytes = Buffer.alloc(fixedBytes + header.sealedKey.length);
  magic.copy(bytes, 0);
  bytes.writeUInt8(formatVersion, 4);
  bytes.writeUInt8(objectKinds[header.kind], 5);
  let at = 8; // Bytes 6 and 7 are reserved and zero.
  at += bytes.write(header.recording, at, 'latin1');
  at += bytes.write(header.part, at, 'latin1');
  at = bytes.writeUInt32BE(header.number, at);
  bytes.set(header.previousHash, at);
  bytes.set(header.keyId, at + hashBytes);
  at = bytes.writeUInt16BE(header.sealedKey.length, at + hashBytes + keyIdBytes);
  bytes.write(header.sealedKey, at, 'latin1');
  return bytes;
}

export type DecodedObjectHeader =
  | {
      readonly header: ObjectHeader;
      /** The header as it is, which the segments authenticate. */ readonly bytes: Uint8Array;
      readonly problem?: undefined;
    }
  | { readonly header?: undefined; readonly problem: 'too_short' | 'malformed' | 'unknown_version' };

export function decodeObjectHeader(object: Uint8Array): DecodedObjectHeader {
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.byteLength);
  if (bytes.length < fixedBytes) return { problem: 'too_short' };
  if (!bytes.subarray(0, 4).equals(magic)) return { problem: 'malformed' };
  if (bytes[4] !== formatVersion) return { problem: 'unknown_version' };
  const kind =
    bytes[5] === objectKinds.chunk ? 'chunk' : bytes[5] === objectKinds.index ? 'index' : undefined;
  const partAt = 8 + recordingIdLength;
  const numberAt = partAt + partNameLength;
  const keyIdAt = numberAt + 4 + hashBytes;
  const keyLength = bytes.readUInt16BE(keyIdAt + keyIdBytes);
  if (!kind || keyLength > maxSealedKeyLength) return { problem: 'malformed' };
  if (bytes.length < fixedBytes + keyLength) return { problem: 'too_short' };
  return {
    bytes: bytes.subarray(0, fixedBytes + keyLength),
    header: {
      kind,
      recording: bytes.toString('latin1', 8, partAt),
      part: bytes.toString('latin1', partAt, numberAt),
      number: bytes.readUInt32BE(numberAt),
      previousHash: bytes.subarray(numberAt + 4, keyIdAt),
      keyId: bytes.subarray(keyIdAt, keyIdAt + keyIdBytes),
      sealedKey: bytes.toString('latin1', fixedBytes, fixedBytes + keyLength),
    },
  };
}
