import { encodings } from '../rfb/encodings.ts';
import { rectangleHeaderBytes, writeRectangleHeader } from './rectangle-header.ts';
import type { Cursor } from './screen-decoder.ts';
import type { ViewerFormat } from './viewer-format.ts';

/** More formats than viewers of one machine usually have. A cursor may take a megabyte in each. */
const maxFormats = 4;

/** A cursor, encoded once for all viewers with the same format (RFC 6143 section 7.8.1). */
export class EncodedCursor {
  readonly #cursor: Cursor;
  readonly #encoded = new Map<string, Buffer>();

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** Whether another cursor looks the same. */
  shows(other: Cursor): boolean {
    const { hotspotX, hotspotY, width, height, pixels, mask } = this.#cursor;
    return (
      hotspotX === other.hotspotX &&
      hotspotY === other.hotspotY &&
      width === other.width &&
      height === other.height &&
      pixels.equals(other.pixels) &&
      mask.equals(other.mask)
    );
  }

  /** The rectangle with its header. */
  encode(format: ViewerFormat): Buffer {
    const known = this.#encoded.get(format.key);
    if (known) return known;
    if (this.#encoded.size === maxFormats) this.#encoded.clear();
    const encoded = encodeCursor(this.#cursor, format);
    this.#encoded.set(format.key, encoded);
    return encoded;
  }
}

function encodeCursor(cursor: Cursor, format: ViewerFormat): Buffer {
  const { hotspotX: x, hotspotY: y, width, height, mask } = cursor;
  const count = width * height;
  const pixelBytes = count * format.bytesPerPixel;
  const bytes = Buffer.allocUnsafeSlow(rectangleHeaderBytes + pixelBytes + mask.length);
  writeRectangleHeader(bytes, { x, y, width, height }, encodings.cursor);
  const pixels = new Uint32Array(count);
  for (let i = 0; i < count; i++) pixels[i] = cursor.pixels.readUInt32LE(4 * i) & 0xff_ff_ff;
  format.write(bytes, rectangleHeaderBytes, pixels, 0, count);
  bytes.set(mask, rectangleHeaderBytes + pixelBytes);
  return bytes;
}
