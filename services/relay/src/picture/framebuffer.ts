/** Width and height of a tile in pixels. Tiles at the right and lower edge may be smaller. */
export const tileSize = 64;

export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Red, green and blue of a pixel in the lower 24 bits: 0x00RRGGBB. In memory: blue, green, red, 0. */
export type Colour = number;

/**
 * The picture of a machine, in tiles that each have the version of the update that changed them last. A consumer that
 * remembers which version of a tile it has finds out what it lacks, however late or slow it is.
 *
 * Regions must lie within the picture: the decoder checks what a machine sends.
 */
export class Framebuffer {
  readonly width: number;
  readonly height: number;
  /** Row by row. */
  readonly pixels: Uint32Array;
  readonly columns: number;
  readonly rows: number;
  /** The version of each tile, row by row: that of the update that changed it last. 64 bits, so that it never wraps. */
  readonly tileVersions: Float64Array;
  readonly #bytes: Buffer;
  #version: number;

  /** `version` is that of the previous picture, if the size has changed. */
  constructor(width: number, height: number, version = 0) {
    this.#version = version;
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height);
    this.#bytes = Buffer.from(this.pixels.buffer);
    this.columns = Math.ceil(width / tileSize);
    this.rows = Math.ceil(height / tileSize);
    this.tileVersions = new Float64Array(this.columns * this.rows).fill(version);
  }

  /** The version of the latest update. */
  get version(): number {
    return this.#version;
  }

  /** What is drawn from now on belongs to a new version. */
  beginUpdate(): void {
    this.#version++;
  }

  fillRegion(x: number, y: number, width: number, height: number, colour: Colour): void {
    const { pixels, width: stride } = this;
    for (let row = y; row < y + height; row++) {
      const start = row * stride + x;
      const end = start + width;
      // A call of `fill` takes longer than the few pixels of a Hextile subrectangle.
      if (width > 32) pixels.fill(colour, start, end);
      else for (let i = start; i < end; i++) pixels[i] = colour;
    }
  }

  /** Draws pixels of one row: four bytes each (blue, green, red, unused), from `at` on in `source`. */
  drawRow(x: number, y: number, width: number, source: Uint8Array, at: number): void {
    const start = y * this.width + x;
    this.#bytes.set(source.subarray(at, at + 4 * width), 4 * start);
    // The unused byte may have any value. Without it, equal pixels are equal numbers.
    for (let i = start; i < start + width; i++) this.pixels[i]! &= 0xff_ff_ff;
  }

  /** Copies a region of the picture to another place, which may overlap it. */
  copyRegion({ x, y, width, height }: Region, toX: number, toY: number): void {
    const downwards = toY > y;
    for (let i = 0; i < height; i++) {
      const row = downwards ? height - 1 - i : i;
      const from = (y + row) * this.width + x;
      this.pixels.copyWithin((toY + row) * this.width + toX, from, from + width);
    }
  }

  /** Gives the tiles of the region the current version. */
  touch({ x, y, width, height }: Region): void {
    if (width === 0 || height === 0) return;
    const lastColumn = Math.floor((x + width - 1) / tileSize);
    const lastRow = Math.floor((y + height - 1) / tileSize);
    for (let row = Math.floor(y / tileSize); row <= lastRow; row++)
      for (let column = Math.floor(x / tileSize); column <= lastColumn; column++)
        this.tileVersions[row * this.columns + column] = this.#version;
  }

  /** The pixels that a tile covers. `index` counts row by row. */
  tileRegion(index: number): Region {
    const x = (index % this.columns) * tileSize;
    const y = Math.floor(index / this.columns) * tileSize;
    return {
      x,
      y,
      width: Math.min(tileSize, this.width - x),
      height: Math.min(tileSize, this.height - y),
    };
  }

  /** Whether a tile of another picture of the same size has the same pixels. */
  hasSameTile(index: number, other: Framebuffer): boolean {
    const { x, y, width, height } = this.tileRegion(index);
    for (let row = y; row < y + height; row++) {
      const start = 4 * (row * this.width + x);
      const end = start + 4 * width;
      if (this.#bytes.compare(other.#bytes, start, end, start, end) !== 0) return false;
    }
    return true;
  }

  /** Returns the memory at once instead of when it is collected. The picture must not be used afterwards. */
  release(): void {
    if (this.pixels.length > 0) (this.pixels.buffer as ArrayBuffer).transfer(0);
  }
}
