import { deflateSync } from 'node:zlib';
import { encodings } from '../rfb/encodings.ts';
import type { Colour, Framebuffer, Region } from './framebuffer.ts';

/** Compression control: the first byte of a Tight rectangle (rfbproto). Its low four bits reset the zlib streams. */
const control = { fill: 0x8f, basic: 0x01, withFilter: 0x41 } as const;
const paletteFilter = 1;
/** Shorter data is sent uncompressed and without its length. */
const minCompressedBytes = 12;
/** With more colours, a palette saves little, and finding one takes longer. */
const maxPaletteColours = 16;

/**
 * Encodes a region of the picture as one Tight rectangle with its header, 24 bits per pixel (rfbproto). The rectangle
 * needs nothing that was sent before: it resets the zlib stream that it uses. So it can be sent to any viewer, and kept.
 */
export function encodeTight(framebuffer: Framebuffer, region: Region): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(region.x, 0);
  header.writeUInt16BE(region.y, 2);
  header.writeUInt16BE(region.width, 4);
  header.writeUInt16BE(region.height, 6);
  header.writeInt32BE(encodings.tight, 8);
  return Buffer.concat([header, ...encodeBody(framebuffer, region)]);
}

function encodeBody(framebuffer: Framebuffer, region: Region): Buffer[] {
  const palette = paletteOf(framebuffer, region);
  const [first] = palette ?? [];
  if (palette?.size === 1 && first) return [Buffer.from([control.fill, ...rgb(first[0])])];
  if (!palette) return [Buffer.of(control.basic), ...compress(copyPixels(framebuffer, region))];
  const colours = [...palette.keys()].flatMap(rgb);
  return [
    Buffer.from([control.withFilter, paletteFilter, palette.size - 1, ...colours]),
    ...compress(
      palette.size === 2 ? copyBits(framebuffer, region, palette) : copyIndices(framebuffer, region, palette),
    ),
  ];
}

/** The colours of a region with their indices; undefined if there are too many. */
function paletteOf({ pixels, width: stride }: Framebuffer, region: Region): Map<Colour, number> | undefined {
  const palette = new Map<Colour, number>();
  let last = -1;
  for (let y = region.y; y < region.y + region.height; y++) {
    const start = y * stride + region.x;
    for (let i = start; i < start + region.width; i++) {
      const colour = pixels[i]!;
      if (colour === last) continue;
      last = colour;
      if (palette.has(colour)) continue;
      if (palette.size === maxPaletteColours) return undefined;
      palette.set(colour, palette.size);
    }
  }
  return palette;
}

/** Three bytes per pixel: red, green, blue. */
function copyPixels({ pixels, width: stride }: Framebuffer, region: Region): Buffer {
  const bytes = Buffer.allocUnsafe(3 * region.width * region.height);
  let at = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    const start = y * stride + region.x;
    for (let i = start; i < start + region.width; i++) {
      const colour = pixels[i]!;
      bytes[at++] = colour >> 16;
      bytes[at++] = colour >> 8;
      bytes[at++] = colour;
    }
  }
  return bytes;
}

/** One byte per pixel: the index of its colour. */
function copyIndices(
  { pixels, width: stride }: Framebuffer,
  region: Region,
  palette: ReadonlyMap<Colour, number>,
): Buffer {
  const bytes = Buffer.allocUnsafe(region.width * region.height);
  let at = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    const start = y * stride + region.x;
    for (let i = start; i < start + region.width; i++) bytes[at++] = palette.get(pixels[i]!) ?? 0;
  }
  return bytes;
}

/** One bit per pixel, the highest first, in rows of complete bytes. */
function copyBits(
  { pixels, width: stride }: Framebuffer,
  region: Region,
  palette: ReadonlyMap<Colour, number>,
): Buffer {
  const bytesPerRow = Math.ceil(region.width / 8);
  const bytes = Buffer.alloc(bytesPerRow * region.height);
  for (let row = 0; row < region.height; row++) {
    const start = (region.y + row) * stride + region.x;
    for (let column = 0; column < region.width; column++)
      if (palette.get(pixels[start + column]!) === 1)
        bytes[row * bytesPerRow + (column >> 3)]! |= 0x80 >> (column & 7);
  }
  return bytes;
}

/** Data as a complete zlib stream behind its length: seven bits per byte, but eight in the third. */
function compress(data: Buffer): Buffer[] {
  if (data.length < minCompressedBytes) return [data];
  const compressed = deflateSync(data, { level: 1 });
  const { length } = compressed;
  const size = [length & 0x7f];
  if (length > 0x7f) {
    size[0]! |= 0x80;
    size.push((length >> 7) & 0x7f);
  }
  if (length > 0x3fff) {
    size[1]! |= 0x80;
    size.push(length >> 14);
  }
  return [Buffer.from(size), compressed];
}

function rgb(colour: Colour): [number, number, number] {
  return [(colour >> 16) & 0xff, (colour >> 8) & 0xff, colour & 0xff];
}
