import fc from 'fast-check';
import { createScreenWriter } from '@porthole/relay/recording/screen-writer';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { u16, u32 } from '../rfb/bytes.ts';
import { pixelFormatBytes, serverInit, update } from '../rfb/server-stream.ts';

const init = serverInit(pixelFormatBytes({ bits: 32 }));
const picture = update(Buffer.concat([u16(0), u16(0), u16(1), u16(1), u32(0), Buffer.from('pixl')]));
const resize = update(Buffer.concat([u16(0), u16(0), u16(640), u16(480), u32(-223)]));
const text = (of: string) => Buffer.concat([Buffer.of(3, 0, 0, 0), u32(of.length), Buffer.from(of)]);

function write(chunks: readonly Buffer[], clipboard: boolean) {
  const records: RecordingRecord[] = [];
  const failures: string[] = [];
  const keep = (record: RecordingRecord) =>
    void records.push('bytes' in record ? { ...record, bytes: Buffer.from(record.bytes) } : record);
  const writer = createScreenWriter(
    {
      screen: (source, start, end) => keep({ type: 'screen', bytes: source.subarray(start, end) }),
      record: keep,
    },
    { clipboard, fail: (detail) => void failures.push(detail) },
  );
  for (const chunk of chunks) writer.screen(chunk);
  const stream = Buffer.concat(records.flatMap((one) => (one.type === 'screen' ? [one.bytes] : [])));
  return { writer, records, failures, stream };
}

/** The bytes, cut anywhere. */
const cut = (bytes: Buffer) =>
  fc.array(fc.nat(bytes.length), { maxLength: 8 }).map((places) => {
    const at = [0, ...places.toSorted((a, b) => a - b), bytes.length];
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });

test('however the stream is cut, ServerInit and sizes are records, and text of the clipboard is only there if it is recorded', () => {
  const sent = [init, picture, text('secret'), resize, picture];
  fc.assert(
    fc.property(cut(Buffer.concat(sent)), fc.boolean(), (chunks, clipboard) => {
      const { records, stream, failures } = write(chunks, clipboard);
      expect(failures).toEqual([]);
      const expected = clipboard ? sent.slice(1) : [picture, resize, picture];
      expect(stream.equals(Buffer.concat(expected))).toBe(true);
      const others = records.filter(({ type }) => type !== 'screen');
      expect(others).toEqual([
        { type: 'init', bytes: init },
        { type: 'resize', width: 800, height: 600 },
        { type: 'resize', width: 640, height: 480 },
      ]);
    }),
    { numRuns: 50 },
  );
});

test('the pixel format that the viewer sets says how long pictures are', () => {
  const { writer, records } = write([init], false);
  writer.record({ type: 'format', bytes: pixelFormatBytes({ bits: 8, depth: 6, max: [3, 3, 3] }) });
  const small = update(Buffer.concat([u16(0), u16(0), u16(2), u16(1), u32(0), Buffer.from('ab')]));
  writer.screen(Buffer.concat([small, text('secret'), small]));
  const bytes = records.flatMap((one) => (one.type === 'screen' ? [one.bytes] : []));
  expect(Buffer.concat(bytes).equals(Buffer.concat([small, small]))).toBe(true);
});

test.each([
  ['a message of an unknown type', Buffer.concat([init, picture, Buffer.of(77), text('secret')])],
  ['a name without an end', Buffer.concat([init.subarray(0, 20), u32(0x7fff_ffff), text('secret')])],
])('%s fails the recording once, and nothing behind it is recorded', (_, bytes) => {
  const { writer, stream, failures } = write([bytes], false);
  writer.screen(picture);
  expect(failures).toHaveLength(1);
  expect(stream.includes('secret')).toBe(false);
});
