import { encodeRecord } from '@porthole/shared/recording/record/encode-record';
import { decodeRecord } from '@porthole/shared/recording/record/decode-record';
import { recordTypes, type RecordingRecord } from '@porthole/shared/recording/record/record';

/**
 * Records of all parts of a relay, on their way to the thread that writes them. One piece of memory for all of them, so
 * that a recorded console needs none of its own, and a frame costs one copy.
 *
 *     4 bytes  part
 *     1 byte   type of the record
 *     8 bytes  time in milliseconds, as a double
 *     4 bytes  length of the data
 */
const entryHeaderBytes = 17;

const none = new Uint8Array(0);
const terminalOutput = Uint8Array.of('o'.charCodeAt(0));

export class RecordSlab {
  readonly memory: Buffer;
  used = 0;
  /** Of `memory`: its methods are faster than those of a Buffer. */
  readonly #view: DataView;

  constructor(memory: Buffer) {
    this.memory = memory;
    this.#view = viewOf(memory);
  }

  /** Appends bytes of a screen from `start` to `end`, or as many as there is room for. Answers how many. */
  screen(part: number, timeMs: number, source: Buffer, start: number, end: number): number {
    return this.#stream(part, recordTypes.screen, timeMs, none, source, start, end);
  }

  terminalOutput(part: number, timeMs: number, source: Buffer, start: number, end: number): number {
    return this.#stream(part, recordTypes.terminal, timeMs, terminalOutput, source, start, end);
  }

  /** Answers false if there is no room for the record. */
  add(part: number, timeMs: number, { type, head, body }: EncodedRecord): boolean {
    const length = head.length + body.length;
    if (entryHeaderBytes + length > this.memory.length - this.used) return false;
    const at = this.#appendHead(part, type, timeMs, head, body.length);
    this.memory.set(body, at);
    this.used = at + body.length;
    return true;
  }

  #stream(
    part: number,
    type: number,
    timeMs: number,
    head: Uint8Array,
    source: Buffer,
    start: number,
    end: number,
  ): number {
    const room = this.memory.length - this.used - entryHeaderBytes - head.length;
    const taken = Math.min(room, end - start);
    if (taken <= 0) return 0;
    const at = this.#appendHead(part, type, timeMs, head, taken);
    // Without a view of the source, of which there would be one for each frame.
    source.copy(this.memory, at, start, start + taken);
    this.used = at + taken;
    return taken;
  }

  /** Answers where the rest belongs. */
  #appendHead(part: number, type: number, timeMs: number, head: Uint8Array, bodyBytes: number): number {
    const at = this.used;
    this.#view.setUint32(at, part, true);
    this.#view.setUint8(at + 4, type);
    this.#view.setFloat64(at + 5, timeMs, true);
    this.#view.setUint32(at + 13, head.length + bodyBytes, true);
    if (head.length > 0) this.memory.set(head, at + entryHeaderBytes);
    return at + entryHeaderBytes + head.length;
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer) => new DataView(buffer, byteOffset, length);

export interface EncodedRecord {
  readonly type: number;
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

export const encodeForSlab = (record: RecordingRecord): EncodedRecord => ({
  type: recordTypes[record.type],
  ...encodeRecord(record),
});

/** Bytes that a slab needs for a record. */
export const slabBytesOf = ({ head, body }: EncodedRecord): number =>
  entryHeaderBytes + head.length + body.length;

/**
 * Passes on each record of a slab: all of one part in their order, then those of the next part. Otherwise, each record would need
 * the objects of another part, which are not in the processor's cache any more. Its bytes lie in the slab.
 */
export function readSlab(
  bytes: Buffer,
  on: {
    screen(part: number, timeMs: number, source: Buffer, start: number, end: number): void;
    record(part: number, timeMs: number, record: RecordingRecord): void;
  },
): void {
  const view = viewOf(bytes);
  const entriesOf = new Map<number, number[]>();
  for (let at = 0; at < bytes.length; at += entryHeaderBytes + view.getUint32(at + 13, true)) {
    const part = view.getUint32(at, true);
    const entries = entriesOf.get(part);
    if (entries) entries.push(at);
    else entriesOf.set(part, [at]);
  }
  for (const [part, entries] of entriesOf)
    for (const at of entries) {
      const type = view.getUint8(at + 4);
      const timeMs = view.getFloat64(at + 5, true);
      const start = at + entryHeaderBytes;
      const end = start + view.getUint32(at + 13, true);
      if (type === recordTypes.screen) {
        // Without a view of the slab, of which there would be one for each frame.
        on.screen(part, timeMs, bytes, start, end);
        continue;
      }
      const record = decodeRecord(type, bytes.subarray(start, end));
      if (record) on.record(part, timeMs, record);
    }
}
