import { constants, deflateRawSync } from 'node:zlib';
import type { Rect } from './damage.ts';
import type { Framebuffer } from './framebuffer.ts';
import { pixelValue, writePixel } from './pixel-format.ts';
import type { PixelFormat } from './pixel-format.ts';

/**
 * RFC 6143, section 7.7.6, with the three kinds of tiles that a text screen needs: one colour, up to sixteen colours, and
 * raw pixels.
 *
 * The RFC requires one zlib stream per connection. Each rectangle is compressed separately and ends with a sync flush. Such
 * pieces after a single zlib header are one valid stream, so the only state is whether the header has been sent.
 */
export type ZrleEncoder = (framebuffer: Framebuffer, rect: Rect, format: PixelFormat) => Buffer;

const tile = 64;
const zlibHeader = Buffer.from([0x78, 0x01]);

export function createZrleEncoder(): ZrleEncoder {
  let started = false;
  return (framebuffer, rect, format) => {
    const tiles: Buffer[] = [];
    for (let y = rect.y; y < rect.y + rect.height; y += tile) {
      for (let x = rect.x; x < rect.x + rect.width; x += tile) {
        const width = Math.min(tile, rect.x + rect.width - x);
        const height = Math.min(tile, rect.y + rect.height - y);
        tiles.push(encodeTile(framebuffer, { x, y, width, height }, format));
      }
    }
    const body = deflateRawSync(Buffer.concat(tiles), { level: 4, finishFlush: constants.Z_SYNC_FLUSH });
    const data = started ? [body] : [zlibHeader, body];
    started = true;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.reduce((sum, part) => sum + part.length, 0));
    return Buffer.concat([length, ...data]);
  };
}

function encodeTile(framebuffer: Framebuffer, rect: Rect, format: PixelFormat): Buffer {
  const palette = new Map<number, number>();
  const { pixels, width: stride } = framebuffer;
  for (let y = rect.y; y < rect.y + rect.height && palette.size <= 16; y++) {
    for (let at = y * stride + rect.x; at < y * stride + rect.x + rect.width; at++) {
      const color = pixels[at] ?? 0;
      if (!palette.has(color)) palette.set(color, palette.size);
    }
  }
  const cpixel = cpixelWriter(format);
  const out = Buffer.alloc(1 + 16 * 4 + rect.width * rect.height * 4);
  if (palette.size > 16) {
    out[0] = 0;
    let at = 1;
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      const row = pixels.subarray(y * stride + rect.x, y * stride + rect.x + rect.width);
      for (const color of row) at = cpixel(out, at, color);
    }
    return out.subarray(0, at);
  }

  out[0] = palette.size;
  let at = 1;
  for (const color of palette.keys()) at = cpixel(out, at, color);
  if (palette.size === 1) return out.subarray(0, at);

  // Indices of 1, 2 or 4 bits, most significant first. Each row begins at a byte.
  const bits = palette.size === 2 ? 1 : palette.size <= 4 ? 2 : 4;
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    let used = 0;
    for (let x = rect.x; x < rect.x + rect.width; x++) {
      const index = palette.get(pixels[y * stride + x] ?? 0) ?? 0;
      out[at] = (out[at] ?? 0) | (index << (8 - bits - used));
      used += bits;
      if (used === 8) {
        used = 0;
        at++;
      }
    }
    if (used > 0) at++;
  }
  return out.subarray(0, at);
}

/** Section 7.7.5: a pixel of 32 bits whose colours fit into three bytes is sent as three bytes. */
function cpixelWriter(format: PixelFormat): (out: Buffer, at: number, color: number) => number {
  const scratch = Buffer.alloc(4);
  const mask =
    ((format.redMax << format.redShift) |
      (format.greenMax << format.greenShift) |
      (format.blueMax << format.blueShift)) >>>
    0;
  const low = (mask & 0xff000000) === 0;
  const high = (mask & 0xff) === 0;
  const short = format.bitsPerPixel === 32 && format.depth <= 24 && (low || high);
  return (out, at, color) => {
    const value = pixelValue(format, color);
    if (!short) return writePixel(out, at, format, value);
    writePixel(scratch, 0, format, value);
    // The omitted byte is the most significant one if the colours are in the lower bytes, else the least significant.
    const skipFirst = format.bigEndian === low;
    scratch.copy(out, at, skipFirst ? 1 : 0, skipFirst ? 4 : 3);
    return at + 3;
  };
}
