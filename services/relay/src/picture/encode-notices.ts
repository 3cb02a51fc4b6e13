import { encodings } from '../rfb/encodings.ts';
import { rectangleHeaderBytes, writeRectangleHeader } from './rectangle-header.ts';

/** Rectangles of pseudo-encodings (RFC 6143 section 7.8, rfbproto), with their headers. */

interface Size {
  readonly width: number;
  readonly height: number;
}

export function encodeLedState(state: number): Buffer {
  const bytes = Buffer.alloc(rectangleHeaderBytes + 1, state);
  writeRectangleHeader(bytes, { x: 0, y: 0, width: 1, height: 1 }, encodings.qemuLedState);
  return bytes;
}

export function encodeExtendedKeys(): Buffer {
  return encodeSize({ width: 0, height: 0 }, encodings.qemuExtendedKey);
}

export function encodeDesktopSize(size: Size): Buffer {
  return encodeSize(size, encodings.desktopSize);
}

/** `reason` 0: the machine's own. 1: an answer to this viewer, with the machine's `status`. */
export function encodeExtendedDesktopSize({ width, height }: Size, reason: number, status: number): Buffer {
  // One screen with the number 0 that covers the picture.
  const bytes = Buffer.alloc(rectangleHeaderBytes + 4 + 16);
  writeRectangleHeader(bytes, { x: reason, y: status, width, height }, encodings.extendedDesktopSize);
  bytes[rectangleHeaderBytes] = 1;
  bytes.writeUInt16BE(width, rectangleHeaderBytes + 12);
  bytes.writeUInt16BE(height, rectangleHeaderBytes + 14);
  return bytes;
}

function encodeSize({ width, height }: Size, encoding: number): Buffer {
  const bytes = Buffer.alloc(rectangleHeaderBytes);
  writeRectangleHeader(bytes, { x: 0, y: 0, width, height }, encoding);
  return bytes;
}
