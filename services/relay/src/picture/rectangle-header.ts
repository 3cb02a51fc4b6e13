import type { Region } from './framebuffer.ts';

export const rectangleHeaderBytes = 12;

/** Writes the header of a rectangle (RFC 6143 section 7.6.1) at the beginning of `bytes`. */
export function writeRectangleHeader(bytes: Buffer, { x, y, width, height }: Region, encoding: number): void {
  moveRectangle(bytes, x, y);
  bytes.writeUInt16BE(width, 4);
  bytes.writeUInt16BE(height, 6);
  bytes.writeInt32BE(encoding, 8);
}

/** Gives an encoded rectangle another place. */
export function moveRectangle(bytes: Buffer, x: number, y: number): void {
  bytes.writeUInt16BE(x, 0);
  bytes.writeUInt16BE(y, 2);
}
