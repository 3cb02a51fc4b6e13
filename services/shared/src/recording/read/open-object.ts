import type { SealKeys } from '../../crypto/seal.ts';
import type { PartAddress } from '../names.ts';
import { decodeObjectHeader, type ObjectHeader, type ObjectKind } from '../object/object-header.ts';
import { openPartKey } from '../object/part-key.ts';
import { findSegment, openSegment } from '../object/segment.ts';

export type ObjectProblem =
  /** The object belongs to another place: another recording, part, kind or number. */
  | 'misplaced'
  /** Bytes were altered. */
  | 'damaged'
  /** The object ends before its last segment. */
  | 'truncated'
  /** The recording key is not among the keys any more. */
  | 'unknown_key'
  | 'unknown_version';

export interface OpenedObject {
  /** Undefined if the header cannot be used. */
  readonly header?: ObjectHeader;
  /** The plain data of the segments that are authentic, in order. A damaged one is left out. */
  readonly segments: readonly Buffer[];
  /** The first problem. */
  readonly problem?: ObjectProblem;
}

/** Decrypts an object as far as it can be read. `number` is not checked if it is undefined. */
export function openObject(
  keys: SealKeys,
  expected: PartAddress & { readonly kind: ObjectKind; readonly number?: number },
  bytes: Uint8Array,
  maxPlainBytes: number,
): OpenedObject {
  const object = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoded = decodeObjectHeader(object);
  if (!decoded.header) return { segments: [], problem: headerProblems[decoded.problem] };
  const { header } = decoded;
  const key = openPartKey(keys, header);
  if (key === 'not_authentic') return { segments: [], problem: 'damaged' };
  const misplaced =
    header.recording !== expected.recording ||
    header.part !== expected.part ||
    header.kind !== expected.kind ||
    (expected.number !== undefined && header.number !== expected.number);
  if (misplaced) return { segments: [], problem: 'misplaced' };
  if (key === 'unknown_key') return { segments: [], problem: 'unknown_key' };

  const segments: Buffer[] = [];
  let problem: ObjectProblem | undefined;
  let at = decoded.bytes.length;
  for (let segment = 0; ; segment++) {
    const bounds = findSegment(object, at, maxPlainBytes);
    if (!bounds) return { header, segments, problem: problem ?? 'truncated' };
    const context = { key, header: decoded.bytes, kind: header.kind, number: header.number, segment };
    const opened = openSegment(context, object, bounds, maxPlainBytes);
    at = bounds.end;
    if (!opened) {
      problem ??= 'damaged';
      // Without the flag of the last segment, the end of the object is the only end.
      if (at === object.length) return { header, segments, problem };
      continue;
    }
    segments.push(opened.plain);
    // Bytes behind the last segment were not written by Porthole.
    if (opened.last) {
      problem ??= at === object.length ? undefined : 'damaged';
      return { header, segments, ...(problem ? { problem } : {}) };
    }
  }
}

const headerProblems = {
  too_short: 'truncated',
  malformed: 'damaged',
  unknown_version: 'unknown_version',
} as const;
