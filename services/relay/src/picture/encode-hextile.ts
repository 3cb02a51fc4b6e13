import { encodings } from '../rfb/encodings.ts';
import type { Colour, Framebuffer, Region } from './framebuffer.ts';
import { hextileSize, hextileSubencoding as subencoding } from './hextile-subencodings.ts';
import { rectangleHeaderBytes, writeRectangleHeader } from './rectangle-header.ts';
import type { ViewerFormat } from './viewer-format.ts';

/** The pixels of a tile that are drawn already. Reused: encoding is synchronous. */
const drawn = new Uint8Array(hextileSize * hextileSize);
/** One pixel, for `ViewerFormat.write`. */
const onePixel = new Uint32Array(1);

/**
 * Encodes a region of the picture as one Hextile rectangle with its header (RFC 6143 section 7.7.4), for viewers that do
 * not support Tight. Like Raw, it needs nothing that was sent before.
 */
export function encodeHextile(framebuffer: Framebuffer, region: Region, format: ViewerFormat): Buffer {
  return new HextileEncoder(framebuffer, region, format).encode();
}

class HextileEncoder {
  readonly #framebuffer: Framebuffer;
  readonly #region: Region;
  readonly #format: ViewerFormat;
  readonly #bytes: Buffer;
  #at = rectangleHeaderBytes;
  /** What a viewer takes for a tile that does not say otherwise. */
  #background: Colour | undefined;
  #foreground: Colour | undefined;

  constructor(framebuffer: Framebuffer, region: Region, format: ViewerFormat) {
    this.#framebuffer = framebuffer;
    this.#region = region;
    this.#format = format;
    // No tile is larger than in Raw and its first byte.
    const tiles = Math.ceil(region.width / hextileSize) * Math.ceil(region.height / hextileSize);
    const pixelBytes = format.bytesPerPixel * region.width * region.height;
    this.#bytes = Buffer.allocUnsafe(rectangleHeaderBytes + tiles + pixelBytes);
  }

  encode(): Buffer {
    const { x, y, width, height } = this.#region;
    writeRectangleHeader(this.#bytes, this.#region, encodings.hextile);
    for (let top = y; top < y + height; top += hextileSize)
      for (let left = x; left < x + width; left += hextileSize)
        this.#encodeTile({
          x: left,
          y: top,
          width: Math.min(hextileSize, x + width - left),
          height: Math.min(hextileSize, y + height - top),
        });
    // In memory of its own, because it is kept.
    const bytes = Buffer.allocUnsafeSlow(this.#at);
    this.#bytes.copy(bytes, 0, 0, this.#at);
    return bytes;
  }

  #encodeTile(tile: Region): void {
    const { background, foreground, coloured } = this.#coloursOf(tile);
    const start = this.#at++;
    let bits = 0;
    if (background !== this.#background) {
      bits |= subencoding.background;
      this.#writePixel(background);
    }
    if (foreground !== undefined) {
      bits |= subencoding.subrectangles;
      if (coloured) bits |= subencoding.coloured;
      else if (foreground !== this.#foreground) {
        bits |= subencoding.foreground;
        this.#writePixel(foreground);
      }
      const end = start + 1 + this.#format.bytesPerPixel * tile.width * tile.height;
      if (!this.#writeSubrectangles(tile, background, coloured, end)) return this.#writeRaw(tile, start);
    }
    this.#bytes[start] = bits;
    this.#background = background;
    if (foreground !== undefined) this.#foreground = coloured ? undefined : foreground;
  }

  /** The colour that most pixels of a tile have among its first two, another one, and whether there are more. */
  #coloursOf({ x, y, width, height }: Region): {
    readonly background: Colour;
    readonly foreground: Colour | undefined;
    readonly coloured: boolean;
  } {
    const { pixels, width: stride } = this.#framebuffer;
    const first = pixels[y * stride + x]!;
    let second: Colour | undefined;
    let coloured = false;
    let firstCount = 0;
    let secondCount = 0;
    for (let row = y; row < y + height; row++)
      for (let i = row * stride + x; i < row * stride + x + width; i++) {
        const colour = pixels[i]!;
        if (colour === first) firstCount++;
        else {
          second ??= colour;
          if (colour === second) secondCount++;
          else coloured = true;
        }
      }
    if (second === undefined || firstCount >= secondCount)
      return { background: first, foreground: second, coloured };
    return { background: second, foreground: first, coloured };
  }

  /** Returns false if the tile would have more bytes than up to `end`. */
  #writeSubrectangles(tile: Region, background: Colour, coloured: boolean, end: number): boolean {
    const { pixels, width: stride } = this.#framebuffer;
    const { x, y, width, height } = tile;
    const bytesEach = 2 + (coloured ? this.#format.bytesPerPixel : 0);
    const countAt = this.#at++;
    let count = 0;
    drawn.fill(0);
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const colour = pixels[(y + row) * stride + x + column]!;
        if (colour === background || drawn[row * hextileSize + column]) continue;
        if (this.#at + bytesEach > end) return false;
        const size = this.#drawLargest(tile, column, row, colour);
        if (coloured) this.#writePixel(colour);
        this.#bytes[this.#at++] = (column << 4) | row;
        this.#bytes[this.#at++] = ((size.width - 1) << 4) | (size.height - 1);
        count++;
      }
    this.#bytes[countAt] = count;
    return true;
  }

  /** Marks the widest part of one colour from a pixel on as drawn, with the rows below that have it as well. */
  #drawLargest({ x, y, width, height }: Region, column: number, row: number, colour: Colour) {
    const { pixels, width: stride } = this.#framebuffer;
    const has = (i: number, j: number) =>
      pixels[(y + j) * stride + x + i] === colour && !drawn[j * hextileSize + i];
    let right = column + 1;
    while (right < width && has(right, row)) right++;
    let bottom = row + 1;
    for (; bottom < height; bottom++) {
      let i = column;
      while (i < right && has(i, bottom)) i++;
      if (i < right) break;
    }
    for (let j = row; j < bottom; j++) drawn.fill(1, j * hextileSize + column, j * hextileSize + right);
    return { width: right - column, height: bottom - row };
  }

  #writeRaw({ x, y, width, height }: Region, start: number): void {
    const { pixels, width: stride } = this.#framebuffer;
    this.#bytes[start] = subencoding.raw;
    this.#at = start + 1;
    for (let row = y; row < y + height; row++) {
      this.#format.write(this.#bytes, this.#at, pixels, row * stride + x, width);
      this.#at += this.#format.bytesPerPixel * width;
    }
    // Viewers disagree about the colours after a raw tile.
    this.#background = undefined;
    this.#foreground = undefined;
  }

  #writePixel(colour: Colour): void {
    onePixel[0] = colour;
    this.#format.write(this.#bytes, this.#at, onePixel, 0, 1);
    this.#at += this.#format.bytesPerPixel;
  }
}
