/** Subencodings of a Hextile tile: bits of its first byte (RFC 6143 section 7.7.4). */
export const hextileSubencoding = {
  raw: 1,
  background: 2,
  foreground: 4,
  subrectangles: 8,
  coloured: 16,
} as const;

/** Width and height of a tile of a Hextile rectangle, in pixels. */
export const hextileSize = 16;
