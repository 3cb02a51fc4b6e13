import type { Rect } from './damage.ts';
import type { Framebuffer } from './framebuffer.ts';
import { isNative, pixelValue, writePixel } from './pixel-format.ts';
import type { PixelFormat } from './pixel-format.ts';

/** Encodes pixels row by row (RFC 6143, section 7.7.1). */
export function encodeRaw(framebuffer: Framebuffer, rect: Rect, format: PixelFormat): Buffer {
  const { pixels, width } = framebuffer;
  const bytesPerPixel = format.bitsPerPixel / 8;
  const out = Buffer.allocUnsafe(rect.width * rect.height * bytesPerPixel);
  const native = isNative(format);
  let at = 0;
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    const row = pixels.subarray(y * width + rect.x, y * width + rect.x + rect.width);
    if (native) {
      out.set(new Uint8Array(row.buffer, row.byteOffset, row.byteLength), at);
      at += row.byteLength;
    } else {
      for (const color of row) at = writePixel(out, at, format, pixelValue(format, color));
    }
  }
  return out;
}
