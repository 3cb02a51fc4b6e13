import { createBlockPool } from '@porthole/relay/recording/block-pool';
import fc from 'fast-check';

const segmentBytes = 32 * 1024;
/** A segment in pieces of memory of their own, as a cipher returns them. */
const segmentOf = (fill: number, bytes = segmentBytes) => [
  Buffer.from([fill]),
  Buffer.allocUnsafeSlow(bytes).fill(fill),
  Buffer.allocUnsafeSlow(16).fill(fill),
];

test('the memory of a segment is freed when it is copied, and that of the copy is used again', () => {
  const pool = createBlockPool(1024 * 1024);
  const given = segmentOf(1);
  const [block] = pool.join(given);
  expect(given[1]?.length).toBe(0);
  if (!block) throw new Error('There is no block.');
  expect(block.equals(Buffer.alloc(segmentBytes + 17, 1))).toBe(true);
  pool.release([block]);
  const [again] = pool.join(segmentOf(2));
  expect(again?.buffer).toBe(block.buffer);
});

test('a small segment stays where it is', () => {
  const pool = createBlockPool(1024 * 1024);
  const given = segmentOf(1, 500);
  expect(pool.join(given)).toEqual(given);
  pool.release(given);
  expect(given[1]?.length).toBe(500);
});

test('memory that is released is used by one segment at a time, however often it is released', () => {
  const step = fc.record({ releases: fc.boolean(), which: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(6), (steps, spare) => {
      const pool = createBlockPool(spare * (segmentBytes + 2048));
      const held: { block: Buffer; fill: number }[] = [];
      let fill = 0;
      for (const { releases, which } of steps) {
        if (!releases) {
          const [block] = pool.join(segmentOf((fill = (fill + 1) % 256)));
          if (block) held.push({ block, fill });
        } else if (held.length > 0) {
          const [released] = held.splice(which % held.length, 1);
          if (released) pool.release([released.block, released.block]);
        }
        expect(held.every((one) => one.block.every((byte) => byte === one.fill))).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});
