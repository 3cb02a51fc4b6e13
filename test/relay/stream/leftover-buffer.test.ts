import { LeftoverBuffer } from '@porthole/relay/stream/leftover-buffer';

test('returns what was pushed, in order, and is empty after that', () => {
  const buffer = new LeftoverBuffer(1000);
  const source = Buffer.from('abcdef');
  expect(buffer.push(source, 1, 3)).toBe(true);
  source.fill(0); // The memory is reused.
  expect(buffer.push(Buffer.from('xyz'))).toBe(true);
  expect(buffer.take().toString()).toBe('bcxyz');
  expect(buffer.take()).toHaveLength(0);
});

test('accepts the limit, and drops everything above it for good', () => {
  const buffer = new LeftoverBuffer(4);
  expect(buffer.push(Buffer.from('abcd'))).toBe(true);
  expect(buffer.push(Buffer.from('e'))).toBe(false);
  expect(buffer.take()).toHaveLength(0);
  expect(buffer.push(Buffer.from('f'))).toBe(false);
  expect(buffer.take()).toHaveLength(0);
});

test('needs at most twice the memory of its content, however small the chunks are', () => {
  const buffer = new LeftoverBuffer(64 * 1024);
  const byte = Buffer.of(7);
  for (let i = 0; i < 40_000; i++) buffer.push(byte);
  const bytes = buffer.take();
  expect(bytes.equals(Buffer.alloc(40_000, 7))).toBe(true);
  expect(bytes.buffer.byteLength).toBeLessThanOrEqual(80_000);
});
