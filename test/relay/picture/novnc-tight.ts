import { fileURLToPath } from 'node:url';
import { loadNovnc } from '../rfb/novnc.ts';

/** The part of noVNC's Tight decoder that tests use. Returns false while bytes are missing. */
interface TightDecoder {
  decodeRect(
    x: number,
    y: number,
    width: number,
    height: number,
    socket: unknown,
    display: unknown,
    depth: number,
  ): boolean;
}

/** Draws Tight rectangles with noVNC's own decoder, in the version that the pages bundle. */
export interface NovncTight {
  /** Draws one rectangle with its header. Throws an error if it is incomplete, or if bytes are left. */
  draw(rectangle: Buffer): void;
  /** Draws the first of several rectangles. Returns the number of its bytes. */
  drawFirst(rectangles: Buffer): number;
  /** 0x00RRGGBB, row by row. */
  readonly pixels: Uint32Array;
}

/** Three bytes per pixel (red, green, blue) of a file that a test's encoder has made. */
export type DecodeJpeg = (file: Uint8Array) => Uint8Array;

const noJpeg: DecodeJpeg = () => {
  throw new Error('a JPEG file that was not asked for');
};

export async function createNovncTight(width: number, height: number): Promise<NovncTight> {
  return (await loadNovncTight())(width, height);
}

/** Loads the decoder once, to create any number of viewers at once. */
export async function loadNovncTight(): Promise<
  (width: number, height: number, decodeJpeg?: DecodeJpeg) => NovncTight
> {
  await loadNovnc();
  // Not exported by the package.
  const path = fileURLToPath(
    new URL('../../../node_modules/@novnc/novnc/core/decoders/tight.js', import.meta.url),
  );
  const { default: Decoder } = (await import(path)) as { default: new () => TightDecoder };
  return (width, height, decodeJpeg) => createViewer(new Decoder(), width, height, decodeJpeg);
}

function createViewer(
  decoder: TightDecoder,
  width: number,
  height: number,
  decodeJpeg: DecodeJpeg = noJpeg,
): NovncTight {
  const pixels = new Uint32Array(width * height);
  const draw = (x: number, y: number, w: number, h: number, colourOf: (pixel: number) => number) => {
    for (let row = 0; row < h; row++)
      for (let column = 0; column < w; column++)
        pixels[(y + row) * width + x + column] = colourOf(row * w + column);
  };
  const display = {
    fillRect: (x: number, y: number, w: number, h: number, [r = 0, g = 0, b = 0]: Uint8Array) =>
      draw(x, y, w, h, () => (r << 16) | (g << 8) | b),
    /** Four bytes per pixel: red, green, blue, opacity. */
    blitImage: (x: number, y: number, w: number, h: number, data: Uint8Array, at: number) =>
      draw(x, y, w, h, (pixel) => {
        const [r = 0, g = 0, b = 0] = data.subarray(at + 4 * pixel, at + 4 * pixel + 3);
        return (r << 16) | (g << 8) | b;
      }),
    imageRect(x: number, y: number, w: number, h: number, _type: string, file: Uint8Array) {
      const rgb = decodeJpeg(file);
      draw(x, y, w, h, (pixel) => {
        const [r = 0, g = 0, b = 0] = rgb.subarray(3 * pixel, 3 * pixel + 3);
        return (r << 16) | (g << 8) | b;
      });
    },
  };
  const viewer: NovncTight = {
    pixels,
    draw(rectangle) {
      const left = rectangle.length - viewer.drawFirst(rectangle);
      if (left !== 0) throw new Error(`${left} bytes are left`);
    },
    drawFirst(rectangle) {
      let at = 12;
      const take = (count: number) => {
        at += count;
        return rectangle.subarray(at - count, at);
      };
      const socket = {
        rQwait: (_what: string, count: number) => rectangle.length - at < count,
        rQpeek8: () => rectangle.readUInt8(at),
        rQskipBytes: (count: number) => void take(count),
        rQshiftTo: (target: Uint8Array, count: number) => target.set(take(count)),
        rQshift8: () => take(1).readUInt8(),
        rQshiftBytes: (count: number) => new Uint8Array(take(count)),
      };
      const [x = 0, y = 0, w = 0, h = 0] = [0, 2, 4, 6].map((offset) => rectangle.readUInt16BE(offset));
      if (rectangle.readInt32BE(8) !== 7) throw new Error('not a Tight rectangle');
      if (!decoder.decodeRect(x, y, w, h, socket, display, 24)) throw new Error('bytes are missing');
      return at;
    },
  };
  return viewer;
}
