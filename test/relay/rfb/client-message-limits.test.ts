import fc from 'fast-check';
import { ClientMessageFilter } from '@porthole/relay/rfb/client-message-filter';
import { u32 } from './bytes.ts';
import {
  arbitraryClientMessages,
  bytesOf,
  cutText,
  filterClientMessages,
  setEncodings,
} from './client-stream.ts';

const mebibyte = 1024 * 1024;
const protocolError = expect.objectContaining({ code: 'viewer_protocol' });
const tooBig = expect.objectContaining({ code: 'viewer_message_too_big' });

describe('a viewer that sends an invalid message', () => {
  const known = new Set([0, 2, 3, 4, 5, 6, 150, 248, 250, 251, 255]);
  const unknown = Array.from({ length: 256 }, (_, type) => type).filter((type) => !known.has(type));

  test('is refused at the first byte of an unknown message', () => {
    for (const type of unknown) expect(() => filterClientMessages([Buffer.of(type)])).toThrow(protocolError);
  });

  test('is refused for every QEMU message except the extended key event', () => {
    for (let kind = 1; kind < 256; kind++)
      expect(() => filterClientMessages([Buffer.of(255, kind)])).toThrow(protocolError);
  });

  test('has its earlier messages forwarded', () => {
    const filter = new ClientMessageFilter({ viewOnly: true, onHumanInput: () => {} });
    const request = Buffer.of(3, 1, 0, 0, 0, 0, 0, 1, 0, 1);
    expect(Buffer.concat(filter.push(request))).toEqual(request);
    expect(() => filter.push(Buffer.of(1))).toThrow();
  });

  test.each([mebibyte + 1, -mebibyte - 1, 0x7fff_ffff, -0x7fff_ffff, -0x8000_0000])(
    'is refused for a cut text of %d bytes before the text arrives',
    (length) => {
      const head = Buffer.concat([Buffer.of(6, 0, 0, 0), u32(length)]);
      expect(() => filterClientMessages([head])).toThrow(tooBig);
    },
  );

  test.each([mebibyte, -mebibyte])('may send a cut text of %d bytes', (length) => {
    const text = cutText(length, Buffer.alloc(mebibyte, 4)).bytes;
    const { forwarded } = filterClientMessages([text.subarray(0, 100), text.subarray(100)]);
    expect(forwarded.equals(text)).toBe(true);
    expect(filterClientMessages([text], true).forwarded).toHaveLength(0);
  });

  test('is refused for too many encodings, and for a fence that is too long', () => {
    expect(() => filterClientMessages([Buffer.of(2, 0, 2, 1)])).toThrow(tooBig); // 513
    expect(() => filterClientMessages([Buffer.of(2, 0, 0xff, 0xff)])).toThrow(tooBig);
    expect(() => filterClientMessages([Buffer.of(248, 0, 0, 0, 0, 0, 0, 0, 65)])).toThrow(tooBig);
    const longest = setEncodings(Array<number>(512).fill(0)).bytes;
    expect(filterClientMessages([longest]).forwarded).toHaveLength(2052);
  });

  test('is never buffered beyond 4 KiB', () => {
    // The longest message that is buffered until it is complete: SetDesktopSize with 255 screens.
    const screens = Buffer.concat([Buffer.of(251, 0, 0, 1, 0, 1, 255, 0), Buffer.alloc(16 * 255)]);
    const streams = fc.oneof(
      arbitraryClientMessages.map(bytesOf),
      fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
      fc.nat({ max: screens.length }).map((length) => screens.subarray(0, length)),
      fc.nat({ max: 20_000 }).map((length) => cutText(mebibyte, Buffer.alloc(length)).bytes),
    );
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 5000 }), (bytes, size) => {
        const filter = new ClientMessageFilter({ viewOnly: false, onHumanInput: () => {} });
        let buffered = 0;
        let maxBuffered = 0;
        try {
          for (let at = 0; at < bytes.length; at += size) {
            const chunk = bytes.subarray(at, at + size);
            buffered += chunk.length - Buffer.concat(filter.push(chunk)).length;
            maxBuffered = Math.max(maxBuffered, buffered);
          }
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^viewer_/));
        }
        expect(maxBuffered).toBeLessThan(4096);
      }),
    );
  });

  test('is forwarded or refused with a documented error, whatever it sends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, viewOnly) => {
        try {
          filterClientMessages([Buffer.from(bytes)], viewOnly);
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^viewer_(protocol|message_too_big)$/));
        }
      }),
    );
  });
});
