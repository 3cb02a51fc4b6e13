import type { Region } from '@porthole/relay/picture/framebuffer';
import { u16, u32 } from '../rfb/bytes.ts';
import { update } from '../rfb/server-stream.ts';
import type { SeededRandom } from '../seeded-random.ts';

/** A picture that is drawn at random, and the RFB messages that draw it. It is the reference for the decoder. */
export class DrawnPicture {
  readonly width: number;
  readonly height: number;
  /** 0x00RRGGBB, row by row. */
  readonly pixels: number[];
  readonly #random: SeededRandom;

  constructor(width: number, height: number, random: SeededRandom) {
    this.width = width;
    this.height = height;
    this.#random = random;
    this.pixels = Array.from({ length: width * height }, () => 0);
  }

  serverInit(): Buffer {
    return Buffer.concat([
      u16(this.width),
      u16(this.height),
      Buffer.alloc(16, 9),
      u32(4),
      Buffer.from('name'),
    ]);
  }

  /** An update of one to three rectangles. */
  draw(): { readonly message: Buffer; readonly regions: readonly Region[] } {
    const count = 1 + this.#random(3);
    const drawn = Array.from({ length: count }, () => this.#drawRectangle());
    return {
      message: update(...drawn.map(({ bytes }) => bytes)),
      regions: drawn.map(({ region }) => region),
    };
  }

  /** An update with the whole picture. */
  all(): Buffer {
    const bytes = Buffer.alloc(4 * this.pixels.length);
    this.pixels.forEach((colour, i) => bytes.writeUInt32LE(colour, 4 * i));
    return update(Buffer.concat([u16(0), u16(0), u16(this.width), u16(this.height), u32(0), bytes]));
  }

  #drawRectangle(): { bytes: Buffer; region: Region } {
    const region = this.#region();
    const { x, y, width, height } = region;
    const head = (encoding: number) =>
      Buffer.concat([u16(x), u16(y), u16(width), u16(height), u32(encoding)]);
    switch (this.#random(3)) {
      case 0:
        return { region, bytes: Buffer.concat([head(0), this.#drawRaw(region)]) };
      case 1: {
        const from = {
          x: this.#random(this.width - width + 1),
          y: this.#random(this.height - height + 1),
        };
        const before = [...this.pixels];
        this.#each(region, (column, row) => before[(from.y + row) * this.width + from.x + column] ?? 0);
        return { region, bytes: Buffer.concat([head(1), u16(from.x), u16(from.y)]) };
      }
      default:
        return { region, bytes: Buffer.concat([head(5), this.#drawHextile(region)]) };
    }
  }

  #drawRaw(region: Region): Buffer {
    const bytes: number[] = [];
    this.#each(region, () => {
      const colour = this.#colour();
      // The fourth byte is unused, so a server may send anything there.
      bytes.push(colour & 255, (colour >> 8) & 255, colour >> 16, this.#random(256));
      return colour;
    });
    return Buffer.from(bytes);
  }

  #drawHextile({ x, y, width, height }: Region): Buffer {
    const parts: Buffer[] = [];
    let background = 0;
    let foreground = 0;
    for (let top = y; top < y + height; top += 16)
      for (let left = x; left < x + width; left += 16) {
        const tile = {
          x: left,
          y: top,
          width: Math.min(16, x + width - left),
          height: Math.min(16, y + height - top),
        };
        if (this.#random(4) === 0) {
          parts.push(Buffer.of(1), this.#drawRaw(tile));
          continue;
        }
        let bits = 0;
        const header: Buffer[] = [];
        if (this.#random(2) === 0) {
          background = this.#colour();
          bits |= 2;
          header.push(this.#pixel(background));
        }
        if (this.#random(2) === 0) {
          foreground = this.#colour();
          bits |= 4;
          header.push(this.#pixel(foreground));
        }
        this.#each(tile, () => background);
        if (this.#random(2) === 0) {
          const coloured = this.#random(2) === 0;
          bits |= 8 | (coloured ? 16 : 0);
          const count = this.#random(6);
          header.push(Buffer.of(count));
          for (let i = 0; i < count; i++) {
            const colour = coloured ? this.#colour() : foreground;
            const at = { x: this.#random(tile.width), y: this.#random(tile.height) };
            const size = {
              width: 1 + this.#random(tile.width - at.x),
              height: 1 + this.#random(tile.height - at.y),
            };
            if (coloured) header.push(this.#pixel(colour));
            header.push(Buffer.of((at.x << 4) | at.y, ((size.width - 1) << 4) | (size.height - 1)));
            this.#each({ x: left + at.x, y: top + at.y, ...size }, () => colour);
          }
        }
        parts.push(Buffer.of(bits), ...header);
      }
    return Buffer.concat(parts);
  }

  #each({ x, y, width, height }: Region, colourOf: (column: number, row: number) => number): void {
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        this.pixels[(y + row) * this.width + x + column] = colourOf(column, row);
  }

  #region(): Region {
    const x = this.#random(this.width);
    const y = this.#random(this.height);
    return {
      x,
      y,
      width: this.#random(this.width - x + 1),
      height: this.#random(this.height - y + 1),
    };
  }

  /** Few colours, so that regions of one colour occur. */
  #colour(): number {
    return [0x00_00_00, 0xff_ff_ff, 0x12_34_56, 0xfe_dc_ba][this.#random(4)] ?? 0;
  }

  #pixel(colour: number): Buffer {
    return Buffer.of(colour & 255, (colour >> 8) & 255, colour >> 16, this.#random(256));
  }
}
