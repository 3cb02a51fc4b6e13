import { createHash } from 'node:crypto';
import { createCompressor } from '@porthole/shared/recording/object/compressor';
import { isDense } from '@porthole/shared/recording/object/is-dense';

/** Bytes without a pattern, the same in each run. */
function noise(bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
    createHash('sha256').update(String(i)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

const text = Buffer.from('The relay forwards what the machine sends. '.repeat(800));

test('text is compressed, also behind segments that are not', () => {
  const { compress } = createCompressor();
  for (let i = 0; i < 10; i++) expect(compress(noise(32 * 1024))).toBeUndefined();
  expect(compress(text)?.length).toBeLessThan(text.length / 10);
});

test('noise looks compressed, and text, pixels and base64 of noise do not', () => {
  expect(isDense(noise(32 * 1024))).toBe(true);
  expect(isDense(text)).toBe(false);
  const pixels = Buffer.alloc(32 * 1024);
  for (let at = 0; at < pixels.length; at += 4) pixels.writeUInt32LE(0x202020 + (at % 7), at);
  expect(isDense(pixels)).toBe(false);
  expect(isDense(Buffer.from(noise(24 * 1024).toString('base64')))).toBe(false);
});

test('a screen that repeats noise is compressed, after 64 segments at most', () => {
  const { compress } = createCompressor();
  const repeated = Buffer.concat(Array.from({ length: 4 }, () => noise(8 * 1024)));
  expect(isDense(repeated)).toBe(true);
  const sizes = Array.from({ length: 65 }, () => compress(repeated)?.length ?? repeated.length);
  expect(Math.min(...sizes)).toBeLessThan(repeated.length / 3);
});
