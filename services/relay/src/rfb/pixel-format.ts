/** How many bytes a pixel takes, as far as one must know to find the end of a rectangle. */
export interface PixelFormat {
  readonly bytesPerPixel: 1 | 2 | 4;
  /** The same in Tight's rectangles; undefined where servers differ about it. */
  readonly bytesPerTightPixel: 1 | 2 | 3 | 4 | undefined;
}

/** Reads the 16 bytes of RFC 6143 section 7.4; undefined for what servers make something of their own of. */
export function readPixelFormat(bytes: Buffer, at = 0): PixelFormat | undefined {
  const bitsPerPixel = bytes[at];
  const depth = bytes[at + 1];
  const trueColour = bytes[at + 3] !== 0;
  if (bitsPerPixel === 8) return { bytesPerPixel: 1, bytesPerTightPixel: 1 };
  // QEMU takes a colour map for 8 bits, whatever was said (ui/vnc.c).
  if (!trueColour) return undefined;
  if (bitsPerPixel === 16) return { bytesPerPixel: 2, bytesPerTightPixel: 2 };
  if (bitsPerPixel !== 32) return undefined;
  return { bytesPerPixel: 4, bytesPerTightPixel: tightBytesOf32(bytes, at, depth) };
}

/**
 * Tight leaves out the fourth byte where 24 bits say it all. rfbproto asks for a depth of 24, QEMU for maxima of 255
 * only, which it also takes for those that are zero (ui/vnc.c, ui/vnc-enc-tight.c).
 */
function tightBytesOf32(bytes: Buffer, at: number, depth: number | undefined): 3 | 4 | undefined {
  const maxima = [4, 6, 8].map((offset) => bytes.readUInt16BE(at + offset));
  if (maxima.every((max) => max === 255)) return depth === 24 ? 3 : undefined;
  return maxima.includes(0) ? undefined : 4;
}
