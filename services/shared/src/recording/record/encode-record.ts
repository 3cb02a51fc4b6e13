import type { RecordingRecord } from './record.ts';
import { varintLength, writeVarint } from './varint.ts';

const utf8 = new TextEncoder();
const empty = new Uint8Array(0);

/** A record's data: a few bytes in front, and the bytes that the caller gave, which are not copied. */
export interface EncodedRecord {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

/** Returns the data of a record, without its type and time. */
export function encodeRecord(record: RecordingRecord): EncodedRecord {
  switch (record.type) {
    case 'about':
      return { head: empty, body: utf8.encode(record.json) };
    case 'clock':
      return { head: varint(record.wallMs), body: empty };
    case 'init':
    case 'format':
    case 'screen':
    case 'keyValue':
      return { head: empty, body: record.bytes };
    case 'keyframe':
      return { head: size(record.width, record.height), body: record.bytes };
    case 'resize':
      return { head: size(record.width, record.height), body: empty };
    case 'terminal':
      return { head: Uint8Array.of(record.code.charCodeAt(0)), body: record.bytes };
    case 'key':
    case 'pointer':
      return { head: empty, body: empty };
    case 'clipboard':
      return { head: Uint8Array.of(record.direction === 'in' ? 0 : 1), body: utf8.encode(record.text) };
    case 'observer':
      return { head: Uint8Array.of(record.joined ? 1 : 0), body: utf8.encode(record.user) };
    case 'mark':
      return { head: empty, body: utf8.encode(`${record.name}\n${record.text}`) };
    case 'end':
      return { head: empty, body: utf8.encode(record.reason) };
  }
}

const size = (width: number, height: number) =>
  Uint8Array.of(width >> 8, width & 255, height >> 8, height & 255);

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value));
  writeVarint(bytes, 0, value);
  return bytes;
}
