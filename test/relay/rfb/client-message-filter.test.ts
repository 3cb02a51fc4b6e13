import fc from 'fast-check';
import { ClientMessageFilter } from '@porthole/relay/rfb/client-message-filter';
import { arbitraryChunks, byteByByte } from '../chunks.ts';
import {
  arbitraryClientMessages,
  arbitraryStep,
  bytesOf,
  extendedMouseButtons,
  filterClientMessages,
  setEncodings,
  toMessages,
} from './client-stream.ts';

const arbitraryConversation = arbitraryClientMessages.chain((messages) =>
  arbitraryChunks(bytesOf(messages)).map((chunks) => ({ messages, chunks })),
);
const key = Buffer.of(4, 1, 0, 0, 0, 0, 0, 0x61);

describe('the messages of a viewer', () => {
  test('are forwarded unchanged in a session with control, in whatever chunks they arrive', () => {
    fc.assert(
      fc.property(arbitraryConversation, ({ messages, chunks }) => {
        const { forwarded, inputs } = filterClientMessages(chunks);
        expect(forwarded.equals(bytesOf(messages))).toBe(true);
        expect(inputs).toBe(messages.filter(({ human }) => human).length);
      }),
      { numRuns: 500 },
    );
  });

  test('are forwarded without those that affect the machine in a view-only session, but count as input', () => {
    fc.assert(
      fc.property(arbitraryConversation, ({ messages, chunks }) => {
        const { forwarded, inputs } = filterClientMessages(chunks, true);
        expect(forwarded.equals(bytesOf(messages.filter(({ input }) => !input)))).toBe(true);
        expect(inputs).toBe(messages.filter(({ human }) => human).length);
      }),
      { numRuns: 500 },
    );
  });

  test('give the same result byte by byte as in one chunk', () => {
    fc.assert(
      fc.property(fc.array(arbitraryStep, { maxLength: 6 }).map(toMessages), (messages) => {
        const bytes = bytesOf(messages);
        expect(filterClientMessages(byteByByte(bytes)).forwarded.equals(bytes)).toBe(true);
      }),
    );
  });

  test('are forwarded only when they are complete, so that the machine never has part of one', () => {
    const filter = new ClientMessageFilter({ viewOnly: false, onHumanInput: () => {} });
    for (let at = 0; at < 7; at++) expect(filter.push(key.subarray(at, at + 1))).toEqual([]);
    expect(Buffer.concat(filter.push(key.subarray(7)))).toEqual(key);
  });

  test('do not change when the memory that they arrived in is reused', () => {
    const filter = new ClientMessageFilter({ viewOnly: false, onHumanInput: () => {} });
    const chunk = Buffer.from(key.subarray(0, 5));
    filter.push(chunk);
    chunk.fill(0xff);
    expect(Buffer.concat(filter.push(key.subarray(5)))).toEqual(key);
  });
});

describe('a pointer event', () => {
  const marked = Buffer.of(5, 0x81, 0, 1, 0, 2);
  const offer = setEncodings([extendedMouseButtons]).bytes;

  test('has a seventh byte only if the viewer has offered extended mouse buttons', () => {
    const { forwarded, inputs } = filterClientMessages([marked, key]);
    expect([forwarded.length, inputs]).toEqual([14, 2]);
    const offered = setEncodings([0, extendedMouseButtons]).bytes;
    const extended = filterClientMessages([offered, marked, Buffer.of(1), key], true);
    expect(extended.forwarded).toEqual(offered);
    expect(extended.inputs).toBe(2);
  });

  test('has six bytes again after the viewer has offered encodings without them', () => {
    const { inputs } = filterClientMessages([offer, setEncodings([0]).bytes, marked, key]);
    expect(inputs).toBe(2);
  });

  test('has six bytes if its marker bit is not set', () => {
    const unmarked = Buffer.of(5, 0x01, 0, 1, 0, 2);
    expect(filterClientMessages([offer, unmarked, key]).inputs).toBe(2);
  });
});
