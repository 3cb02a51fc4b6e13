import type { Rect } from './damage.ts';
import type { Framebuffer } from './framebuffer.ts';
import { pixelValue, writePixel, type PixelFormat } from './pixel-format.ts';

const size = 16;
const bits = { raw: 1, background: 2, foreground: 4, subrectangles: 8 } as const;

/**
 * Encodes a rectangle in Hextile (RFC 6143, section 7.7.4), as QEMU does for tiles with one or two colours. Tiles with
 * more colours are raw.
 */
export function encodeHextile(framebuffer: Framebuffer, rect: Rect, format: PixelFormat): Buffer {
  const parts: Buffer[] = [];
  for (let y = rect.y; y < rect.y + rect.height; y += size)
    for (let x = rect.x; x < rect.x + rect.width; x += size)
      parts.push(
        encodeTile(
          framebuffer,
          {
            x,
            y,
            width: Math.min(size, rect.x + rect.width - x),
            height: Math.min(size, rect.y + rect.height - y),
          },
          format,
        ),
      );
  return Buffer.concat(parts);
}

function encodeTile({ pixels, width: stride }: Framebuffer, tile: Rect, format: PixelFormat): Buffer {
  const pixelBytes = format.bitsPerPixel / 8;
  const colourAt = (x: number, y: number) => pixels[(tile.y + y) * stride + tile.x + x] ?? 0;
  const background = colourAt(0, 0);
  let foreground: number | undefined;
  const runs: number[] = [];
  for (let y = 0; y < tile.height; y++)
    for (let x = 0; x < tile.width; x++) {
      const colour = colourAt(x, y);
      if (colour === background) continue;
      foreground ??= colour;
      if (colour !== foreground) return encodeRawTile(colourAt, tile, format);
      const start = x;
      while (x + 1 < tile.width && colourAt(x + 1, y) === foreground) x++;
      runs.push((start << 4) | y, (x - start) << 4);
    }
  const head = Buffer.alloc(1 + pixelBytes);
  head[0] = bits.background;
  writePixel(head, 1, format, pixelValue(format, background));
  if (foreground === undefined) return head;
  head[0] |= bits.foreground | bits.subrectangles;
  const colour = Buffer.alloc(pixelBytes);
  writePixel(colour, 0, format, pixelValue(format, foreground));
  return Buffer.concat([head, colour, Buffer.from([runs.length / 2, ...runs])]);
}

function encodeRawTile(colourAt: (x: number, y: number) => number, tile: Rect, format: PixelFormat): Buffer {
  const bytes = Buffer.alloc(1 + tile.width * tile.height * (format.bitsPerPixel / 8));
  bytes[0] = bits.raw;
  let at = 1;
  for (let y = 0; y < tile.height; y++)
    for (let x = 0; x < tile.width; x++)
      at = writePixel(bytes, at, format, pixelValue(format, colourAt(x, y)));
  return bytes;
}
