/** Bytes per pixel, as far as it takes to find the end of a rectangle. */
export interface PixelFormat {
  readonly bytesPerPixel: 1 | 2 | 4;
  /** Bytes of a TPIXEL, the pixel of a Tight rectangle; undefined if servers disagree on it. */
  readonly bytesPerTightPixel: 1 | 2 | 3 | 4 | undefined;
}

/** Reads the 16 bytes of RFC 6143 section 7.4. Returns undefined for formats that servers interpret differently. */
export function readPixelFormat(bytes: Buffer, at = 0): PixelFormat | undefined {
  const bitsPerPixel = bytes[at];
  const depth = bytes[at + 1];
  const trueColour = bytes[at + 3] !== 0;
  if (bitsPerPixel === 8) return { bytesPerPixel: 1, bytesPerTightPixel: 1 };
  // Without true colour, QEMU uses 8 bits per pixel, whatever the format says (ui/vnc.c).
  if (!trueColour) return undefined;
  if (bitsPerPixel === 16) return { bytesPerPixel: 2, bytesPerTightPixel: 2 };
  if (bitsPerPixel !== 32) return undefined;
  return { bytesPerPixel: 4, bytesPerTightPixel: bytesPerTightPixelOf32(bytes, at, depth) };
}

/**
 * Tight omits the fourth byte if 24 bits hold the pixel. By rfbproto, that requires depth 24 and maxima of 255. QEMU
 * requires the maxima only, and also omits the byte for maxima of zero (ui/vnc.c, ui/vnc-enc-tight.c).
 */
function bytesPerTightPixelOf32(bytes: Buffer, at: number, depth: number | undefined): 3 | 4 | undefined {
  const maxima = [4, 6, 8].map((offset) => bytes.readUInt16BE(at + offset));
  if (maxima.every((max) => max === 255)) return depth === 24 ? 3 : undefined;
  return maxima.includes(0) ? undefined : 4;
}
