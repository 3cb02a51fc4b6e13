import { encodings } from '../rfb/encodings.ts';
import type { Framebuffer, Region } from './framebuffer.ts';
import { rectangleHeaderBytes, writeRectangleHeader } from './rectangle-header.ts';
import type { ViewerFormat } from './viewer-format.ts';

/** Encodes a region of the picture as one Raw rectangle with its header (RFC 6143 section 7.7.1). */
export function encodeRaw(
  { pixels, width: stride }: Framebuffer,
  region: Region,
  format: ViewerFormat,
): Buffer {
  const rowBytes = region.width * format.bytesPerPixel;
  const bytes = Buffer.allocUnsafeSlow(rectangleHeaderBytes + rowBytes * region.height);
  writeRectangleHeader(bytes, region, encodings.raw);
  for (let row = 0; row < region.height; row++)
    format.write(
      bytes,
      rectangleHeaderBytes + row * rowBytes,
      pixels,
      (region.y + row) * stride + region.x,
      region.width,
    );
  return bytes;
}
