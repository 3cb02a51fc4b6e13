import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { objectKinds, type ObjectKind } from './object-header.ts';

/**
 * The unit of encryption: what was collected between two flushes. An object is a header and one segment after another,
 * so that it can be written, and read, up to any of its segments.
 *
 *     offset  size
 *     0       4     length n of the encrypted data with its tag
 *     4       4     length of the plain data after decompression
 *     8       1     flags: 1 compressed (raw DEFLATE, RFC 1951), 2 last segment of the object
 *     9       n     AES-256-GCM ciphertext and its tag of 16 bytes
 */
export const segmentHeaderBytes = 9;
export const tagBytes = 16;
export const segmentFlags = { compressed: 1, last: 2 } as const;
const allFlags = segmentFlags.compressed | segmentFlags.last;

/** What the encryption of a segment is bound to. */
export interface SegmentContext {
  readonly key: KeyObject;
  /** The bytes of the object's header. */
  readonly header: Uint8Array;
  readonly kind: ObjectKind;
  /** The number of the object. */
  readonly number: number;
  /** The number of the segment in its object, from 0. */
  readonly segment: number;
}

/** Returns the sealed segment, in pieces that need not be copied. `data` is compressed already if `plainLength` differs from its length. */
export function sealSegment(
  context: SegmentContext,
  data: Uint8Array,
  options: { readonly plainLength: number; readonly compressed: boolean; readonly last: boolean },
): readonly Buffer[] {
  const head = Buffer.allocUnsafe(segmentHeaderBytes);
  head.writeUInt32BE(data.length + tagBytes, 0);
  head.writeUInt32BE(options.plainLength, 4);
  head.writeUInt8(
    (options.compressed ? segmentFlags.compressed : 0) | (options.last ? segmentFlags.last : 0),
    8,
  );
  const cipher = createCipheriv('aes-256-gcm', context.key, nonceOf(context));
  cipher.setAAD(context.header);
  cipher.setAAD(head);
  const encrypted = cipher.update(data);
  cipher.final();
  return [head, encrypted, cipher.getAuthTag()];
}

/** Where a segment lies in its object. */
export interface SegmentBounds {
  readonly start: number;
  readonly end: number;
}

/** Finds the segment at `start`. Undefined if the object ends before it does, or if its header is out of bounds. */
export function findSegment(object: Buffer, start: number, maxPlainBytes: number): SegmentBounds | undefined {
  if (start + segmentHeaderBytes > object.length) return undefined;
  const length = object.readUInt32BE(start);
  const end = start + segmentHeaderBytes + length;
  const possible = length >= tagBytes && length <= maxPlainBytes + tagBytes && end <= object.length;
  return possible ? { start, end } : undefined;
}

/** Decrypts a segment. Undefined if it is not authentic. */
export function openSegment(
  context: SegmentContext,
  object: Buffer,
  { start, end }: SegmentBounds,
  maxPlainBytes: number,
): { readonly plain: Buffer; readonly last: boolean } | undefined {
  const plainLength = object.readUInt32BE(start + 4);
  const flags = object.readUInt8(start + 8);
  if (plainLength > maxPlainBytes || (flags & ~allFlags) !== 0) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', context.key, nonceOf(context), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(context.header);
  decipher.setAAD(object.subarray(start, start + segmentHeaderBytes));
  decipher.setAuthTag(object.subarray(end - tagBytes, end));
  try {
    const data = decipher.update(object.subarray(start + segmentHeaderBytes, end - tagBytes));
    decipher.final();
    const compressed = (flags & segmentFlags.compressed) !== 0;
    const plain = compressed ? inflateRawSync(data, { maxOutputLength: maxPlainBytes }) : data;
    if (plain.length !== plainLength) return undefined;
    return { plain, last: (flags & segmentFlags.last) !== 0 };
  } catch {
    return undefined;
  }
}

/** Unique for each segment that a part's key encrypts. */
function nonceOf({ kind, number, segment }: SegmentContext): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(objectKinds[kind], 0);
  nonce.writeUInt32BE(number, 4);
  nonce.writeUInt32BE(segment, 8);
  return nonce;
}
