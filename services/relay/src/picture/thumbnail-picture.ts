import type { Framebuffer, Region } from './framebuffer.ts';

/** Longest side of a thumbnail in pixels. */
const maxSide = 512;
/** Divisors of the tile size, so that no pixel of a thumbnail belongs to two tiles. A sum of 16 by 16 bytes has 16 bits. */
const scales = [4, 8, 16] as const;

type Size = Pick<Region, 'width' | 'height'>;

/** How many pixels of a picture become one of its thumbnail, in each direction: 4, or more for a large picture. */
export function thumbnailScale({ width, height }: Size): number {
  const side = Math.max(width, height);
  return scales.find((scale) => Math.ceil(side / scale) <= maxSide) ?? 16;
}

/** The reduced picture of a machine, of which only changed tiles are computed again (box filter). */
export class ThumbnailPicture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly pixels: Buffer;
  readonly #scale: number;
  readonly #tileVersions: Float64Array;

  constructor(picture: Framebuffer) {
    this.#scale = thumbnailScale(picture);
    this.width = Math.ceil(picture.width / this.#scale);
    this.height = Math.ceil(picture.height / this.#scale);
    this.pixels = Buffer.alloc(3 * this.width * this.height);
    this.#tileVersions = new Float64Array(picture.tileVersions.length).fill(-1);
  }

  /** Takes over what has changed in a picture of the same size. Returns whether a pixel of the thumbnail changed. */
  update(picture: Framebuffer): boolean {
    let changed = false;
    for (const [index, version] of picture.tileVersions.entries()) {
      if (this.#tileVersions[index] === version) continue;
      this.#tileVersions[index] = version;
      if (this.#reduce(picture, picture.tileRegion(index))) changed = true;
    }
    return changed;
  }

  #reduce(picture: Framebuffer, { x, y, width, height }: Region): boolean {
    const scale = this.#scale;
    const { pixels } = this;
    let changed = false;
    for (let top = y; top < y + height; top += scale) {
      const rows = Math.min(scale, y + height - top);
      let at = 3 * ((top / scale) * this.width + x / scale);
      for (let left = x; left < x + width; left += scale, at += 3) {
        const columns = Math.min(scale, x + width - left);
        const colour =
          columns === 4 && rows === 4
            ? averageOf16(picture.pixels, top * picture.width + left, picture.width)
            : averageOf(picture, left, top, columns, rows);
        const red = colour >>> 16;
        const green = (colour >>> 8) & 0xff;
        const blue = colour & 0xff;
        if (pixels[at] === red && pixels[at + 1] === green && pixels[at + 2] === blue) continue;
        pixels[at] = red;
        pixels[at + 1] = green;
        pixels[at + 2] = blue;
        changed = true;
      }
    }
    return changed;
  }
}

/** The average colour of a block of at most 16 by 16 pixels, rounded. */
function averageOf(
  { pixels, width: stride }: Framebuffer,
  left: number,
  top: number,
  columns: number,
  rows: number,
): number {
  // Red and blue are summed in one number: 256 pixels give 16 bits each.
  let redBlue = 0;
  let green = 0;
  for (let row = top; row < top + rows; row++) {
    const start = row * stride + left;
    for (let i = start; i < start + columns; i++) {
      const pixel = pixels[i]!;
      redBlue += pixel & 0xff_00_ff;
      green += pixel & 0xff_00;
    }
  }
  const count = columns * rows;
  const half = count >>> 1;
  const red = Math.floor(((redBlue >>> 16) + half) / count);
  const blue = Math.floor(((redBlue & 0xff_ff) + half) / count);
  return (red << 16) | (Math.floor(((green >>> 8) + half) / count) << 8) | blue;
}

/**
 * The same for 4 by 4 pixels, which is nearly every block of a common screen. The sums fit into 31 bits, so this takes a
 * third of the time.
 */
function averageOf16(pixels: Uint32Array, start: number, stride: number): number {
  let redBlue = 0;
  let green = 0;
  for (let at = start, row = 0; row < 4; at += stride, row++) {
    const first = pixels[at]!;
    const second = pixels[at + 1]!;
    const third = pixels[at + 2]!;
    const fourth = pixels[at + 3]!;
    redBlue += (first & 0xff_00_ff) + (second & 0xff_00_ff) + (third & 0xff_00_ff) + (fourth & 0xff_00_ff);
    green += (first & 0xff_00) + (second & 0xff_00) + (third & 0xff_00) + (fourth & 0xff_00);
  }
  const red = ((redBlue >>> 16) + 8) >>> 4;
  const blue = ((redBlue & 0xff_ff) + 8) >>> 4;
  return (red << 16) | ((((green >>> 8) + 8) >>> 4) << 8) | blue;
}
