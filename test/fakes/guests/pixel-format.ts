import type { Color } from './framebuffer.ts';

/** The pixel format of one viewer (RFC 6143, section 7.4). True colour only, without colour maps. */
export interface PixelFormat {
  bitsPerPixel: 8 | 16 | 32;
  depth: number;
  bigEndian: boolean;
  redMax: number;
  greenMax: number;
  blueMax: number;
  redShift: number;
  greenShift: number;
  blueShift: number;
}

/** The format that QEMU announces. */
export const bgr888: PixelFormat = {
  bitsPerPixel: 32,
  depth: 24,
  bigEndian: false,
  redMax: 255,
  greenMax: 255,
  blueMax: 255,
  redShift: 16,
  greenShift: 8,
  blueShift: 0,
};

/** The format that vncterm announces: 8 bits. */
export const bgr233: PixelFormat = {
  bitsPerPixel: 8,
  depth: 8,
  bigEndian: false,
  redMax: 7,
  greenMax: 7,
  blueMax: 3,
  redShift: 0,
  greenShift: 3,
  blueShift: 6,
};

export function writePixelFormat(format: PixelFormat): Buffer {
  const bytes = Buffer.alloc(16);
  bytes[0] = format.bitsPerPixel;
  bytes[1] = format.depth;
  bytes[2] = format.bigEndian ? 1 : 0;
  bytes[3] = 1;
  bytes.writeUInt16BE(format.redMax, 4);
  bytes.writeUInt16BE(format.greenMax, 6);
  bytes.writeUInt16BE(format.blueMax, 8);
  bytes[10] = format.redShift;
  bytes[11] = format.greenShift;
  bytes[12] = format.blueShift;
  return bytes;
}

/** Reads the format that a viewer requests. Returns `undefined` for an invalid one. */
export function readPixelFormat(bytes: Buffer): PixelFormat | undefined {
  const bitsPerPixel = bytes.readUInt8(0);
  if (bitsPerPixel !== 8 && bitsPerPixel !== 16 && bitsPerPixel !== 32) return undefined;
  if (bytes.readUInt8(3) === 0) return undefined;
  const format: PixelFormat = {
    bitsPerPixel,
    depth: bytes.readUInt8(1),
    bigEndian: bytes.readUInt8(2) !== 0,
    redMax: bytes.readUInt16BE(4),
    greenMax: bytes.readUInt16BE(6),
    blueMax: bytes.readUInt16BE(8),
    redShift: bytes.readUInt8(10),
    greenShift: bytes.readUInt8(11),
    blueShift: bytes.readUInt8(12),
  };
  const shifts = [format.redShift, format.greenShift, format.blueShift];
  return shifts.every((shift) => shift < bitsPerPixel) ? format : undefined;
}

/** Converts a colour to its pixel value in `format`. */
export function pixelValue(format: PixelFormat, color: Color): number {
  const red = Math.round(((color & 0xff) * format.redMax) / 255);
  const green = Math.round((((color >>> 8) & 0xff) * format.greenMax) / 255);
  const blue = Math.round((((color >>> 16) & 0xff) * format.blueMax) / 255);
  return ((red << format.redShift) | (green << format.greenShift) | (blue << format.blueShift)) >>> 0;
}

/** Whether pixels need no conversion, as in the format that noVNC requests. */
export function isNative(format: PixelFormat): boolean {
  return (
    format.bitsPerPixel === 32 &&
    !format.bigEndian &&
    format.redMax === 255 &&
    format.greenMax === 255 &&
    format.blueMax === 255 &&
    format.redShift === 0 &&
    format.greenShift === 8 &&
    format.blueShift === 16
  );
}

/** Writes one pixel value and returns the offset after it. */
export function writePixel(out: Buffer, at: number, format: PixelFormat, value: number): number {
  if (format.bitsPerPixel === 8) return out.writeUInt8(value & 0xff, at);
  if (format.bitsPerPixel === 16) {
    return format.bigEndian ? out.writeUInt16BE(value & 0xffff, at) : out.writeUInt16LE(value & 0xffff, at);
  }
  return format.bigEndian ? out.writeUInt32BE(value, at) : out.writeUInt32LE(value, at);
}
