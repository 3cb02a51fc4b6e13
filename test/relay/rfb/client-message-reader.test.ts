import fc from 'fast-check';
import { ClientMessageReader } from '@porthole/relay/rfb/client-message-reader';
import { arbitraryChunks, byteByByte } from '../chunks.ts';
import { arbitraryClientMessages, bytesOf } from './client-stream.ts';

/** Reads chunks whose memory is reused after each push, as that of a socket is. */
function readMessages(chunks: readonly Buffer[]) {
  const messages: Buffer[] = [];
  const reader = new ClientMessageReader((message) => void messages.push(Buffer.from(message)));
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    reader.push(reused);
    reused.fill(0xff);
  }
  return { messages, isWithinMessage: reader.isWithinMessage };
}

describe('the reader of complete client messages', () => {
  test('finds the messages of a viewer in whatever chunks they arrive', () => {
    fc.assert(
      fc.property(
        arbitraryClientMessages.chain((messages) =>
          arbitraryChunks(bytesOf(messages)).map((chunks) => ({ messages, chunks })),
        ),
        ({ messages, chunks }) => {
          const read = readMessages(chunks);
          expect(read.messages).toEqual(messages.map(({ bytes }) => bytes));
          expect(read.isWithinMessage).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('finds them byte by byte, and knows when it is within one', () => {
    const key = Buffer.of(4, 1, 0, 0, 0, 0, 0, 0x61);
    expect(readMessages(byteByByte(Buffer.concat([key, key]))).messages).toEqual([key, key]);
    expect(readMessages([key.subarray(0, 7)]).isWithinMessage).toBe(true);
    expect(readMessages([key, key.subarray(0, 1)])).toEqual({ messages: [key], isWithinMessage: true });
  });

  test('keeps a text of one mebibyte until it is complete', () => {
    const text = Buffer.alloc(8 + 1024 * 1024, 0x61);
    text.writeUInt32BE(0x06_00_00_00, 0);
    text.writeUInt32BE(1024 * 1024, 4);
    const chunks = Array.from({ length: 17 }, (_, i) => text.subarray(i * 65_536, (i + 1) * 65_536));
    expect(readMessages(chunks).messages).toEqual([text]);
  });

  test.each([
    ['an unknown type', Buffer.of(99), 'viewer_protocol'],
    ['a longer text', Buffer.of(6, 0, 0, 0, 0, 0x10, 0, 1), 'viewer_message_too_big'],
    ['too many encodings', Buffer.of(2, 0, 2, 1), 'viewer_message_too_big'],
  ])('refuses %s', (_, bytes, code) => {
    expect(() => readMessages([bytes])).toThrow(expect.objectContaining({ code }));
  });
});
