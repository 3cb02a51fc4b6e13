import { glyph, glyphRows } from './font.ts';
import type { Rect } from './damage.ts';

/** A colour as it lies in memory on a little-endian machine: bytes R, G, B, unused. */
export type Color = number;

export function rgb(hex: number): Color {
  return ((hex >> 16) & 0xff) | (hex & 0xff00) | ((hex & 0xff) << 16);
}

/** The pixels of the built-in machine. Painting reports a rectangle only if a pixel changed. */
export interface Framebuffer {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
  fill(x: number, y: number, width: number, height: number, color: Color): void;
  /** One character cell of 8x16 pixels. */
  cell(x: number, y: number, code: number, weight: 'regular' | 'bold', fg: Color, bg: Color): void;
  /** Reports a rectangle, for callers that write to `pixels` directly. */
  touch(rect: Rect): void;
  /** Calls back with each changed rectangle. Returns an unsubscriber. */
  onDamage(listener: (rect: Rect) => void): () => void;
}

export const cellWidth = 8;
export const cellHeight = 16;
const glyphTop = 2;

export function createFramebuffer(width: number, height: number): Framebuffer {
  const pixels = new Uint32Array(width * height);
  const listeners = new Set<(rect: Rect) => void>();

  const touch = (rect: Rect) => {
    for (const listener of listeners) listener(rect);
  };

  return {
    width,
    height,
    pixels,
    touch,
    fill(x, y, w, h, color) {
      const left = Math.max(0, x);
      const right = Math.min(width, x + w);
      const top = Math.max(0, y);
      const bottom = Math.min(height, y + h);
      let changed = false;
      for (let row = top; row < bottom; row++) {
        for (let at = row * width + left; at < row * width + right; at++) {
          if (pixels[at] === color) continue;
          pixels[at] = color;
          changed = true;
        }
      }
      if (changed) touch({ x: left, y: top, width: right - left, height: bottom - top });
    },
    cell(x, y, code, weight, fg, bg) {
      const rows = glyph(code, weight);
      let changed = false;
      for (let row = 0; row < cellHeight; row++) {
        const bits = row >= glyphTop && row < glyphTop + glyphRows ? (rows[row - glyphTop] ?? 0) : 0;
        const start = (y + row) * width + x;
        for (let column = 0; column < cellWidth; column++) {
          const color = bits & (0x80 >> column) ? fg : bg;
          if (pixels[start + column] === color) continue;
          pixels[start + column] = color;
          changed = true;
        }
      }
      if (changed) touch({ x, y, width: cellWidth, height: cellHeight });
    },
    onDamage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
