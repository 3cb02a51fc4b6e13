import { invalidMessage } from '../rfb/invalid-message.ts';
import type { Region } from './framebuffer.ts';
import type { InputBuffer } from './input-buffer.ts';

/** Compression control: the upper four bits of a rectangle's first byte (rfbproto). Below `fill`, it is basic. */
const compression = { filterFlag: 4, fill: 8, jpeg: 9 } as const;
const filters = { copy: 0, palette: 1, gradient: 2 } as const;
const bytesPerPixel = 3;
/** Shorter data is sent uncompressed and without its length. */
const minCompressedBytes = 12;

/** Passes over bytes without keeping them. Yields the number of bytes that it needs to go on. */
export function* skipBytes(input: InputBuffer, count: number): Generator<number, void, void> {
  for (let left = count; left > 0;) {
    while (input.length < 1) yield 1;
    left -= input.skip(left);
  }
}

/**
 * Passes over the body of a rectangle in Tight with 24 bits per pixel: one that was meant for a viewer whose zlib streams
 * the relay does not have.
 */
export function* skipTight(input: InputBuffer, { width, height }: Region): Generator<number, void, void> {
  while (input.length < 1) yield 1;
  const control = input.u8() >> 4;
  if (control === compression.fill) return yield* skipBytes(input, bytesPerPixel);
  if (control === compression.jpeg) return yield* skipCompressed(input);
  if (control > compression.fill) throw invalidMessage(`Tight compression ${control}`);
  let bytes = bytesPerPixel * width * height;
  if (control & compression.filterFlag) {
    while (input.length < 2) yield 2;
    const filter = input.u8();
    if (filter === filters.palette) {
      const colours = input.u8() + 1;
      yield* skipBytes(input, bytesPerPixel * colours);
      bytes = height * (colours <= 2 ? Math.ceil(width / 8) : width);
    } else if (filter !== filters.copy && filter !== filters.gradient)
      throw invalidMessage(`Tight filter ${filter}`);
  }
  if (bytes < minCompressedBytes) yield* skipBytes(input, bytes);
  else yield* skipCompressed(input);
}

/** Passes over data behind its length: one to three bytes with seven bits each, but eight in the third. */
function* skipCompressed(input: InputBuffer): Generator<number, void, void> {
  let length = 0;
  for (let shift = 0; shift <= 14; shift += 7) {
    while (input.length < 1) yield 1;
    const byte = input.u8();
    length += (shift < 14 ? byte & 0x7f : byte) << shift;
    if (byte < 0x80) break;
  }
  yield* skipBytes(input, length);
}
