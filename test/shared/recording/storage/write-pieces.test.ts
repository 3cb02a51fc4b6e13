import { writePieces } from '@porthole/shared/recording/storage/write-pieces';
import fc from 'fast-check';

/** A file whose system writes at most so many bytes per call. */
function createFile(mostPerCall: number) {
  const content = Buffer.alloc(64 * 1024);
  let largestCall = 0;
  return {
    content,
    largestCall: () => largestCall,
    async writev<T extends readonly NodeJS.ArrayBufferView[]>(pieces: T, position?: number | null) {
      largestCall = Math.max(largestCall, pieces.length);
      const bytes = Buffer.concat(
        pieces.map((piece) => Buffer.from(piece.buffer as ArrayBuffer, piece.byteOffset, piece.byteLength)),
      );
      const bytesWritten = bytes.copy(content, position ?? 0, 0, mostPerCall);
      return { bytesWritten, buffers: pieces };
    },
  };
}

test('pieces are written one behind the other, even if the system takes only some bytes at a time', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      pieces,
      fc.integer({ min: 1, max: 100 }),
      fc.nat(1000),
      async (given, mostPerCall, position) => {
        const file = createFile(mostPerCall);
        const expected = Buffer.concat(given);
        expect(await writePieces(file, given, position)).toBe(expected.length);
        expect(file.content.subarray(position, position + expected.length)).toEqual(expected);
        expect(file.content.subarray(position + expected.length).every((byte) => byte === 0)).toBe(true);
      },
    ),
  );
});

test('a call has no more pieces than the system takes', async () => {
  const file = createFile(64 * 1024);
  await writePieces(
    file,
    Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i)),
    0,
  );
  expect(file.largestCall()).toBe(1024);
  expect(file.content[2999]).toBe(2999 % 256);
});
