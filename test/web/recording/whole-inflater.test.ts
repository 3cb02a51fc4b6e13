import { fileURLToPath } from 'node:url';
import { constants, createDeflate } from 'node:zlib';
import fc from 'fast-check';
import { createWholeInflater } from '../../../services/broker/web/src/recording/display/whole-inflater.ts';

// Not exported by the package.
const path = fileURLToPath(new URL('../../../node_modules/@novnc/novnc/core/inflator.js', import.meta.url));
const { default: Inflate } = (await import(path)) as {
  default: new () => Parameters<typeof createWholeInflater>[0];
};

/** The pieces of one zlib stream, each up to a sync flush, as a ZRLE server sends its rectangles. */
async function deflated(rectangles: readonly Buffer[]): Promise<Buffer[]> {
  const stream = createDeflate({ level: 1 });
  const pieces: Buffer[] = [];
  let piece: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => piece.push(chunk));
  for (const rectangle of rectangles) {
    piece = [];
    await new Promise<void>((resolve) => stream.write(rectangle, () => resolve()));
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
    pieces.push(Buffer.concat(piece));
  }
  return pieces;
}

test('rectangles that are read byte by byte or in any pieces have the bytes that were deflated', async () => {
  const rectangle = fc
    .tuple(fc.constantFrom(1, 7, 65_536, 131_072, 200_000), fc.integer({ min: 1, max: 7 }))
    .map(([length, step]) => Buffer.from(Array.from({ length }, (_, at) => ((at * step) >> 3) & 0xff)));
  await fc.assert(
    fc.asyncProperty(
      fc.array(rectangle, { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom(1, 1, 3, 12_288), { minLength: 1, maxLength: 5 }),
      async (rectangles, lengths) => {
        const inflater = createWholeInflater(new Inflate());
        for (const [index, data] of (await deflated(rectangles)).entries()) {
          const expected = rectangles[index] ?? Buffer.alloc(0);
          inflater.setInput(data);
          let at = 0;
          for (let turn = 0; at < expected.length && turn < 40; turn++) {
            const length = Math.min(lengths[turn % lengths.length] ?? 1, expected.length - at);
            expect(expected.subarray(at, at + length).equals(inflater.inflate(length))).toBe(true);
            at += length;
          }
          expect(expected.subarray(at).equals(inflater.inflate(expected.length - at))).toBe(true);
          expect(() => inflater.inflate(1)).toThrow('Incomplete');
        }
      },
    ),
    { numRuns: 20 },
  );
});
