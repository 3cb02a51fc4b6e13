import fc from 'fast-check';
import { clipboardActions } from '@porthole/relay/rfb/clipboard-policy';
import { arbitraryChunks, byteByByte } from '../chunks.ts';
import { arbitraryServerMessages } from './arbitrary-server-stream.ts';
import { u32 } from './bytes.ts';
import { createRecordingReader, readServerMessages } from './read-server-messages.ts';
import {
  cutText,
  extendedCutText,
  pixelFormatBytes,
  rectangle,
  serverInit,
  update,
  type ServerMessage,
} from './server-stream.ts';

const colours32 = pixelFormatBytes({ bits: 32 });
const colours16 = pixelFormatBytes({ bits: 16, depth: 16, max: [31, 63, 31] });
const formats = [
  { bytes: colours32, sizes: { pixel: 4, tight: 3 } },
  {
    bytes: pixelFormatBytes({ bits: 32, depth: 30, max: [1023, 1023, 1023] }),
    sizes: { pixel: 4, tight: 4 },
  },
  { bytes: colours16, sizes: { pixel: 2, tight: 2 } },
  { bytes: pixelFormatBytes({ bits: 8, depth: 8, trueColour: false }), sizes: { pixel: 1, tight: 1 } },
];
const bell = Buffer.of(2);

const bytesOf = (messages: readonly ServerMessage[]) => Buffer.concat(messages.map(({ bytes }) => bytes));
const without = (messages: readonly ServerMessage[], ...kinds: readonly ServerMessage['kind'][]) =>
  bytesOf(messages.filter(({ kind }) => !kinds.includes(kind)));

describe('the messages of a machine whose clipboard must not reach the viewer', () => {
  test.each(formats)(
    'are forwarded without the clipboard, in whatever chunks they arrive ($sizes)',
    ({ bytes: format, sizes }) => {
      const init = serverInit(format);
      fc.assert(
        fc.property(
          arbitraryServerMessages(sizes).chain((messages) =>
            arbitraryChunks(Buffer.concat([init, bytesOf(messages)])).map((chunks) => ({ messages, chunks })),
          ),
          ({ messages, chunks }) => {
            const none = readServerMessages(chunks);
            expect(none.error).toBeUndefined();
            const expected = Buffer.concat([init, without(messages, 'text', 'actions')]);
            expect(none.forwarded.equals(expected)).toBe(true);
            // Where the viewer may paste, the machine may send the actions that carry no text.
            const pasteOnly = readServerMessages(chunks, { clipboard: 'in' });
            expect(pasteOnly.forwarded.equals(Buffer.concat([init, without(messages, 'text')]))).toBe(true);
          },
        ),
        { numRuns: 250 },
      );
    },
  );

  test('give the same result byte by byte as in one chunk', () => {
    fc.assert(
      fc.property(arbitraryServerMessages({ pixel: 4, tight: 3 }), (messages) => {
        const stream = Buffer.concat([serverInit(colours32), bytesOf(messages)]);
        for (const clipboard of ['none', 'in'] as const)
          expect(readServerMessages(byteByByte(stream), { clipboard })).toEqual(
            readServerMessages([stream], { clipboard }),
          );
      }),
      { numRuns: 60 },
    );
  });

  test('are read in the pixel format that the viewer has set, not in the machine’s own', () => {
    const pixels = update(rectangle(2, 2, 0, Buffer.alloc(8, 3)));
    const stream = Buffer.concat([serverInit(colours32), pixels, cutText(Buffer.from('secret')).bytes, bell]);
    const { forwarded, error } = readServerMessages([stream], { viewerFormat: colours16 });
    expect(error).toBeUndefined();
    expect(forwarded).toEqual(Buffer.concat([serverInit(colours32), pixels, bell]));
  });

  test('are forwarded in pieces: nothing waits for the end of a picture', () => {
    const reader = createRecordingReader();
    const init = serverInit(colours32);
    reader.read(init);
    const incomplete = update(rectangle(999, 999, 0, Buffer.alloc(50)));
    reader.read(incomplete);
    expect(reader.forwarded()).toEqual(Buffer.concat([init, incomplete]));
  });

  test('may contain clipboard actions, unless these are long enough to carry text', () => {
    const { request, caps, notify, provide } = clipboardActions;
    const isForwarded = ({ bytes }: ServerMessage) =>
      readServerMessages([serverInit(colours32), bytes, bell], { clipboard: 'in' }).forwarded.includes(bytes);
    expect(isForwarded(extendedCutText(request | 1))).toBe(true);
    expect(isForwarded(extendedCutText(request | 1, Buffer.from('hidden text')))).toBe(false);
    expect(isForwarded(extendedCutText(caps | 1, Buffer.alloc(64)))).toBe(true);
    expect(isForwarded(extendedCutText(caps | 1, Buffer.alloc(65)))).toBe(false);
    expect(isForwarded(extendedCutText(request | provide | 1))).toBe(false);
    expect(isForwarded(extendedCutText(notify | 1))).toBe(false);
    expect(isForwarded(extendedCutText(0))).toBe(true);
  });

  test('may be of any length, because none of a withheld message is kept', () => {
    const reader = createRecordingReader();
    reader.read(serverInit(colours32));
    const before = reader.forwarded().length;
    reader.read(Buffer.concat([Buffer.of(3, 0, 0, 0), u32(0x7fff_ffff)]));
    const text = Buffer.alloc(64 * 1024, 0x41);
    for (let i = 0; i < 100; i++) reader.read(text);
    expect(reader.forwarded().length).toBe(before);
  });
});
