import type { RecordingItem } from '@porthole/shared/recording/read/read-recording';
import type { TimedRecord } from '@porthole/shared/recording/record/decode-records';
import { encodeRecord } from '@porthole/shared/recording/record/encode-record';
import { recordTypes } from '@porthole/shared/recording/record/record';
import { maxVarintBytes, writeVarint } from '@porthole/shared/recording/record/varint';

/**
 * Writes a recording as one file without encryption, described in docs/recording-format.md#container: a signature, then
 * blocks of a type, a length in 4 bytes, and content.
 */
export async function* toContainer(items: AsyncIterable<RecordingItem>): AsyncGenerator<Uint8Array> {
  yield Buffer.from('PHRX\u0001\n');
  for await (const item of items) {
    if (item.kind === 'chunk') for (const timed of item.records) yield* recordBlock(timed);
    else if (item.kind === 'problem') yield block('X', Buffer.from(JSON.stringify(item.problem)));
    else {
      const { summary, details } = item.index ?? {};
      yield block('P', Buffer.from(JSON.stringify({ part: item.part, summary, details })));
    }
  }
  yield block('E', Buffer.alloc(0));
}

/** A block `R`: the time in milliseconds since the part began, the type of the record, and its data. */
function* recordBlock({ timeMs, record }: TimedRecord): Generator<Uint8Array> {
  const { head, body } = encodeRecord(record);
  const start = Buffer.alloc(maxVarintBytes + 1);
  let at = writeVarint(start, 0, timeMs);
  start[at++] = recordTypes[record.type];
  yield header('R', at + head.length + body.length);
  yield start.subarray(0, at);
  if (head.length > 0) yield head;
  if (body.length > 0) yield body;
}

const block = (type: string, content: Uint8Array) => Buffer.concat([header(type, content.length), content]);

function header(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 'latin1');
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
