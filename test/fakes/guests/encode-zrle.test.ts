import { inflateSync, constants } from 'node:zlib';
import { createFramebuffer } from './framebuffer.ts';
import { createZrleEncoder } from './encode-zrle.ts';
import { bgr888, pixelValue } from './pixel-format.ts';
import type { PixelFormat } from './pixel-format.ts';

const rgb888: PixelFormat = { ...bgr888, redShift: 0, blueShift: 16 };
const rgb565: PixelFormat = {
  ...bgr888,
  bitsPerPixel: 16,
  depth: 16,
  redMax: 31,
  greenMax: 63,
  blueMax: 31,
  redShift: 11,
  greenShift: 5,
  blueShift: 0,
};

/** Decodes ZRLE (RFC 6143, section 7.7.6), independently of the encoder. */
function decode(plain: Buffer, rect: { width: number; height: number }, format: PixelFormat): number[] {
  const size = format.bitsPerPixel === 32 ? 3 : format.bitsPerPixel / 8;
  const bigEndian = format.bigEndian;
  const out = Array<number>(rect.width * rect.height).fill(-1);
  let at = 0;
  const pixel = () => {
    const value = bigEndian ? plain.readUIntBE(at, size) : plain.readUIntLE(at, size);
    at += size;
    return value;
  };
  for (let top = 0; top < rect.height; top += 64) {
    for (let left = 0; left < rect.width; left += 64) {
      const kind = plain.readUInt8(at++);
      const palette = Array.from({ length: kind }, pixel);
      const bits = kind === 2 ? 1 : kind <= 4 ? 2 : 4;
      for (let y = top; y < Math.min(top + 64, rect.height); y++) {
        let used = 0;
        for (let x = left; x < Math.min(left + 64, rect.width); x++) {
          if (kind === 0) {
            out[y * rect.width + x] = pixel();
          } else if (kind === 1) {
            out[y * rect.width + x] = palette[0] ?? -1;
          } else {
            const index = (plain.readUInt8(at + (used >> 3)) >> (8 - bits - (used & 7))) & ((1 << bits) - 1);
            out[y * rect.width + x] = palette[index] ?? -1;
            used += bits;
          }
        }
        if (kind > 1) at += Math.ceil(used / 8);
      }
    }
  }
  expect(at).toBe(plain.length);
  return out;
}

describe('ZRLE', () => {
  it.each([
    ['the format of noVNC', rgb888],
    ['the format of QEMU', bgr888],
    ['big-endian pixels', { ...bgr888, bigEndian: true }],
    ['16 bits', rgb565],
    ['16 bits, big-endian', { ...rgb565, bigEndian: true }],
  ])('packs tiles of one, few and many colours in %s', (_, format) => {
    const framebuffer = createFramebuffer(200, 90);
    framebuffer.fill(0, 0, 64, 64, 0x112233);
    framebuffer.cell(70, 10, 65, 'bold', 0xffffff, 0x0a0b0c);
    for (let i = 0; i < 9; i++) framebuffer.fill(130 + i * 3, i, 3, 3, 0x101010 * i);
    for (let i = 0; i < 60; i++) framebuffer.fill(i, 70, 1, 3, 0x030201 * i);
    const rect = { x: 0, y: 0, width: 200, height: 90 };

    const encoded = createZrleEncoder()(framebuffer, rect, format);
    expect(encoded.readUInt32BE(0)).toBe(encoded.length - 4);
    const plain = inflateSync(encoded.subarray(4), { finishFlush: constants.Z_SYNC_FLUSH });
    const wanted = Array.from(framebuffer.pixels, (color) => pixelValue(format, color));
    expect(decode(plain, rect, format)).toEqual(wanted);
  });

  it('makes one zlib stream of all rectangles of a connection', () => {
    const framebuffer = createFramebuffer(64, 64);
    const encode = createZrleEncoder();
    const rect = { x: 0, y: 0, width: 64, height: 64 };
    const parts = [1, 2, 3].map((color) => {
      framebuffer.fill(0, 0, 64, 64, color);
      return encode(framebuffer, rect, rgb888).subarray(4);
    });
    const plain = inflateSync(Buffer.concat(parts), { finishFlush: constants.Z_SYNC_FLUSH });
    expect([...plain]).toEqual([1, 1, 0, 0, 1, 2, 0, 0, 1, 3, 0, 0]);
  });
});
