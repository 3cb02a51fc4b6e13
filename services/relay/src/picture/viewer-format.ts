import { PortholeError } from '@porthole/shared/errors';
import type { Colour } from './framebuffer.ts';

/** How a viewer wants its pixels (RFC 6143 section 7.4). */
export interface ViewerFormat {
  /** Equal for equal formats. */
  readonly key: string;
  readonly bytesPerPixel: 1 | 2 | 4;
  /** Whether a viewer that supports Tight expects 24 bits per pixel in it. */
  readonly tight24: boolean;
  /** Whether pixels are indices in the colour map of `colourMap`. */
  readonly mapped: boolean;
  /** Writes the pixels `from` to `from + count` of a picture, in the viewer's format, at a byte of `target`. */
  write(target: Uint8Array, at: number, pixels: Uint32Array, from: number, count: number): void;
}

interface Channel {
  readonly max: number;
  readonly shift: number;
}

/** The 16 bytes of the format in which pictures are kept, and that viewers learn from ServerInit. */
export const nativeFormatBytes = Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);

/** Reads the 16 bytes of a pixel format. Throws `viewer_protocol` for those that RFC 6143 does not allow. */
export function readViewerFormat(bytes: Buffer): ViewerFormat {
  const bits = bytes.readUInt8(0);
  const depth = bytes.readUInt8(1);
  const bigEndian = bytes.readUInt8(2) !== 0;
  const mapped = bytes.readUInt8(3) === 0;
  if (bits !== 8 && bits !== 16 && bits !== 32) throw invalidFormat(`${bits} bits per pixel`);
  const channels: Channel[] = mapped
    ? mapChannels
    : [0, 1, 2].map((i) => ({ max: bytes.readUInt16BE(4 + 2 * i), shift: bytes.readUInt8(10 + i) }));
  if (!mapped) checkChannels(channels, bits);
  // The tables take longer than reading the format, which a viewer may send without asking for a picture.
  let write: ViewerFormat['write'] | undefined;
  const all255 = channels.every(({ max }) => max === 255);
  const bytesPerPixel = bits === 8 ? 1 : bits === 16 ? 2 : 4;
  return {
    key: [bits, bigEndian, ...channels.flatMap(({ max, shift }) => [max, shift])].join(' '),
    bytesPerPixel,
    tight24: bits === 32 && depth === 24 && all255,
    mapped,
    write(...place) {
      write ??= createWriter(channels, bytesPerPixel, bigEndian && bytesPerPixel > 1);
      write(...place);
    },
  };
}

/** Three bits of red, three of green and two of blue. */
const mapChannels: Channel[] = [
  { max: 7, shift: 5 },
  { max: 7, shift: 2 },
  { max: 3, shift: 0 },
];

/** SetColourMapEntries (RFC 6143 section 7.6.2) with all colours of formats without true colour. */
export function colourMap(): Buffer {
  const message = Buffer.alloc(6 + 6 * 256);
  message[0] = 1;
  message.writeUInt16BE(256, 4);
  for (let index = 0; index < 256; index++)
    mapChannels.forEach(({ max, shift }, channel) =>
      message.writeUInt16BE(
        Math.round((((index >> shift) & max) * 0xff_ff) / max),
        6 + 6 * index + 2 * channel,
      ),
    );
  return message;
}

function checkChannels(channels: readonly Channel[], bits: number): void {
  let used = 0;
  for (const { max, shift } of channels) {
    if (max === 0 || (max & (max + 1)) !== 0) throw invalidFormat(`a maximum of ${max}`);
    const width = 32 - Math.clz32(max);
    if (shift + width > bits) throw invalidFormat(`a shift by ${shift} in ${bits} bits`);
    const mask = (max << shift) >>> 0;
    if ((used & mask) !== 0) throw invalidFormat('colours that overlap');
    used |= mask;
  }
}

function createWriter(
  channels: readonly Channel[],
  bytesPerPixel: 1 | 2 | 4,
  swapped: boolean,
): ViewerFormat['write'] {
  const [red, green, blue] = channels.map((channel) => createTable(channel, bytesPerPixel, swapped));
  if (!red || !green || !blue) throw new RangeError('a format has three channels');
  const convert = (colour: Colour) => red[colour >> 16]! | green[(colour >> 8) & 255]! | blue[colour & 255]!;
  switch (bytesPerPixel) {
    case 1:
      return (target, at, pixels, from, count) => {
        for (let i = 0; i < count; i++) target[at + i] = convert(pixels[from + i]!);
      };
    case 2:
      return (target, at, pixels, from, count) => {
        for (let i = 0; i < count; i++) {
          const value = convert(pixels[from + i]!);
          target[at + 2 * i] = value;
          target[at + 2 * i + 1] = value >> 8;
        }
      };
    case 4:
      return (target, at, pixels, from, count) => {
        for (let i = 0; i < count; i++) {
          const value = convert(pixels[from + i]!);
          target[at + 4 * i] = value;
          target[at + 4 * i + 1] = value >> 8;
          target[at + 4 * i + 2] = value >> 16;
          target[at + 4 * i + 3] = value >> 24;
        }
      };
  }
}

/** What each value of a channel adds to a pixel. */
function createTable({ max, shift }: Channel, bytesPerPixel: 1 | 2 | 4, swapped: boolean): Int32Array {
  const table = new Int32Array(256);
  for (let value = 0; value < 256; value++) {
    const pixel = Math.round((value * max) / 255) << shift;
    if (!swapped) table[value] = pixel;
    else if (bytesPerPixel === 2) table[value] = ((pixel & 255) << 8) | ((pixel >> 8) & 255);
    else table[value] = (pixel << 24) | ((pixel & 0xff_00) << 8) | ((pixel >> 8) & 0xff_00) | (pixel >>> 24);
  }
  return table;
}

function invalidFormat(what: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail: `the viewer wants a pixel format with ${what}` });
}
