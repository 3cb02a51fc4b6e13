import fc from 'fast-check';
import type { SeededRandom } from './seeded-random.ts';

/** The bytes, cut into chunks at arbitrary places. Every chunk has at least one byte. */
export function arbitraryChunks(bytes: Buffer): fc.Arbitrary<Buffer[]> {
  return fc
    .uniqueArray(fc.integer({ min: 1, max: Math.max(1, bytes.length - 1) }), { maxLength: 20 })
    .map((positions) => cutAt(bytes, positions));
}

export function byteByByte(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.of(byte));
}

/** Cuts bytes at random places. The chunks are copies, because parsers unmask in place. */
export function randomChunks(bytes: Buffer, random: SeededRandom): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + random(40));
    chunks.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return chunks;
}

function cutAt(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const ends = [
    ...positions.filter((position) => position < bytes.length).toSorted((a, b) => a - b),
    bytes.length,
  ];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}
