import { deflateSync } from 'node:zlib';
import { encodings } from '../rfb/encodings.ts';
import type { Colour, Framebuffer, Region } from './framebuffer.ts';
import { rectangleHeaderBytes, writeRectangleHeader } from './rectangle-header.ts';

/** Compression control: the first byte of a Tight rectangle (rfbproto). Its low four bits reset the zlib streams. */
const control = { fill: 0x8f, jpeg: 0x90, basic: 0x01, withFilter: 0x41 } as const;
const paletteFilter = 1;
/** Shorter data is sent uncompressed and without its length. */
const minCompressedBytes = 12;
/** Text with smooth edges has some dozens of colours, a photograph more than any palette holds. */
const maxPaletteColours = 96;

/** A hash table of the colours of a region, reused. Twice as large as the palette, so that chains are short. */
const slots = { count: 256, colours: new Int32Array(256), indices: new Uint8Array(256) };
const noColour = -1;

/**
 * Encodes a region of the picture as one Tight rectangle with its header, 24 bits per pixel (rfbproto). The rectangle
 * needs nothing that was sent before: it resets the zlib stream that it uses. So it can be sent to any viewer, and kept.
 */
export function encodeTight(framebuffer: Framebuffer, region: Region): Buffer {
  const indices = new Uint8Array(region.width * region.height);
  const palette = findPalette(framebuffer, region, indices);
  if (!palette) return rectangle(region, [control.basic], compress(copyRgb(framebuffer, region)));
  const colours = palette.flatMap(rgb);
  if (palette.length === 1) return rectangle(region, [control.fill, ...colours], []);
  return rectangle(
    region,
    [control.withFilter, paletteFilter, palette.length - 1, ...colours],
    compress(palette.length === 2 ? packBits(indices, region) : indices),
  );
}

/** Whether a rectangle in Tight has too many colours for a palette. */
export function hasManyColours(tight: Buffer): boolean {
  return tight[rectangleHeaderBytes] === control.basic;
}

/** A JPEG file as one Tight rectangle with its header (rfbproto). */
export function wrapJpeg(region: Region, jpeg: Uint8Array): Buffer {
  return rectangle(region, [control.jpeg], [compactLength(jpeg.length), jpeg]);
}

/** Three bytes per pixel: red, green, blue. */
export function copyRgb({ pixels, width: stride }: Framebuffer, region: Region): Buffer {
  const bytes = Buffer.allocUnsafeSlow(3 * region.width * region.height);
  let at = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    const start = y * stride + region.x;
    for (let i = start; i < start + region.width; i++) {
      const colour = pixels[i]!;
      bytes[at] = colour >> 16;
      bytes[at + 1] = colour >> 8;
      bytes[at + 2] = colour;
      at += 3;
    }
  }
  return bytes;
}

/** The colours of a region, and for each pixel the index of its colour; undefined if there are too many. */
function findPalette(
  { pixels, width: stride }: Framebuffer,
  region: Region,
  indices: Uint8Array,
): Colour[] | undefined {
  const palette: Colour[] = [];
  const { colours, indices: indexOf, count } = slots;
  colours.fill(noColour);
  let last = noColour;
  let index = 0;
  let at = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    const start = y * stride + region.x;
    for (let i = start; i < start + region.width; i++) {
      const colour = pixels[i]!;
      if (colour !== last) {
        last = colour;
        let slot = (Math.imul(colour, 0x9e_37_79_b1) >>> 24) & (count - 1);
        while (colours[slot] !== colour && colours[slot] !== noColour) slot = (slot + 1) & (count - 1);
        if (colours[slot] === noColour) {
          if (palette.length === maxPaletteColours) return undefined;
          colours[slot] = colour;
          indexOf[slot] = palette.length;
          palette.push(colour);
        }
        index = indexOf[slot]!;
      }
      indices[at++] = index;
    }
  }
  return palette;
}

/** One bit per pixel, the highest first, in rows of complete bytes. */
function packBits(indices: Uint8Array, { width, height }: Region): Uint8Array {
  const bytesPerRow = Math.ceil(width / 8);
  const bits = new Uint8Array(bytesPerRow * height);
  for (let row = 0, at = 0; row < height; row++)
    for (let column = 0; column < width; column++, at++)
      bits[row * bytesPerRow + (column >> 3)]! |= indices[at]! << (7 - (column & 7));
  return bits;
}

/** Data as a complete zlib stream behind its length. */
function compress(data: Uint8Array): Uint8Array[] {
  if (data.length < minCompressedBytes) return [data];
  const compressed = deflateSync(data, { level: 1 });
  return [compactLength(compressed.length), compressed];
}

/** A length as Tight has it: seven bits per byte, but eight in the third. */
function compactLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  if (length < 0x4000) return Uint8Array.of((length & 0x7f) | 0x80, length >> 7);
  return Uint8Array.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14);
}

/** In memory of its own, because it is kept, and because a thread transfers or copies all memory behind a view. */
function rectangle(region: Region, head: readonly number[], body: readonly Uint8Array[]): Buffer {
  const bodyBytes = body.reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.allocUnsafeSlow(rectangleHeaderBytes + head.length + bodyBytes);
  writeRectangleHeader(bytes, region, encodings.tight);
  bytes.set(head, rectangleHeaderBytes);
  let at = rectangleHeaderBytes + head.length;
  for (const part of body) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function rgb(colour: Colour): [number, number, number] {
  return [(colour >> 16) & 0xff, (colour >> 8) & 0xff, colour & 0xff];
}
