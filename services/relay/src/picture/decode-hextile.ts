import { invalidMessage } from '../rfb/invalid-message.ts';
import type { Framebuffer, Region } from './framebuffer.ts';
import { hextileSize, hextileSubencoding as subencoding } from './hextile-subencodings.ts';
import type { InputBuffer } from './input-buffer.ts';

/**
 * Decodes a rectangle in Hextile with 32 bits per pixel into a framebuffer. Yields the number of bytes that it needs to
 * go on, while fewer have arrived. Throws `proxmox_invalid_response` at a subrectangle outside of its tile.
 */
export function* decodeHextile(
  input: InputBuffer,
  framebuffer: Framebuffer,
  rectangle: Region,
): Generator<number, void, void> {
  const right = rectangle.x + rectangle.width;
  const bottom = rectangle.y + rectangle.height;
  let background = 0;
  let foreground = 0;
  for (let y = rectangle.y; y < bottom; y += hextileSize)
    for (let x = rectangle.x; x < right; x += hextileSize) {
      const width = Math.min(hextileSize, right - x);
      const height = Math.min(hextileSize, bottom - y);
      while (input.length < 1) yield 1;
      const bits = input.u8();
      if (bits & subencoding.raw) {
        const bytes = 4 * width * height;
        while (input.length < bytes) yield bytes;
        const pixels = input.take(bytes);
        for (let row = 0; row < height; row++)
          framebuffer.drawRow(x, y + row, width, pixels, 4 * width * row);
        continue;
      }
      const headerBytes =
        (bits & subencoding.background ? 4 : 0) +
        (bits & subencoding.foreground ? 4 : 0) +
        (bits & subencoding.subrectangles ? 1 : 0);
      while (input.length < headerBytes) yield headerBytes;
      if (bits & subencoding.background) background = input.pixel();
      if (bits & subencoding.foreground) foreground = input.pixel();
      framebuffer.fillRegion(x, y, width, height, background);
      if (!(bits & subencoding.subrectangles)) continue;
      const coloured = (bits & subencoding.coloured) !== 0;
      const count = input.u8();
      const bytes = count * (coloured ? 6 : 2);
      while (input.length < bytes) yield bytes;
      const parts = input.take(bytes);
      for (let at = 0; at < bytes; at += 2) {
        let colour = foreground;
        if (coloured) {
          colour = parts[at]! | (parts[at + 1]! << 8) | (parts[at + 2]! << 16);
          at += 4;
        }
        const position = parts[at]!;
        const size = parts[at + 1]!;
        const left = position >> 4;
        const top = position & 15;
        const partWidth = (size >> 4) + 1;
        const partHeight = (size & 15) + 1;
        if (left + partWidth > width || top + partHeight > height)
          throw invalidMessage('a Hextile subrectangle outside of its tile');
        framebuffer.fillRegion(x + left, y + top, partWidth, partHeight, colour);
      }
    }
}
