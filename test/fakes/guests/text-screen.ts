import type { Rect } from './damage.ts';
import { cellHeight, cellWidth } from './framebuffer.ts';
import type { Color, Framebuffer } from './framebuffer.ts';

export interface TextStyle {
  fg: Color;
  bg: Color;
  bold?: boolean;
}

/** A grid of characters on a framebuffer. Only cells that changed or were drawn over are painted. */
export interface TextScreen {
  readonly columns: number;
  readonly rows: number;
  put(row: number, column: number, text: string, style: TextStyle): void;
  /** Blanks rows from `top` up to but not including `bottom`. */
  blank(top: number, bottom: number, style: TextStyle): void;
  scrollUp(top: number, bottom: number, style: TextStyle): void;
  /** Repaints the cells of this rectangle, which something was drawn over. */
  expose(rect: Rect): void;
  /** The rectangle of a cell on the framebuffer. */
  at(row: number, column: number): { x: number; y: number };
  render(): void;
  /** All rows as text, without trailing blanks. */
  text(): string[];
}

export function createTextScreen(framebuffer: Framebuffer): TextScreen {
  const columns = Math.floor(framebuffer.width / cellWidth);
  const rows = Math.floor(framebuffer.height / cellHeight);
  const left = Math.floor((framebuffer.width - columns * cellWidth) / 2);
  const top = Math.floor((framebuffer.height - rows * cellHeight) / 2);
  const size = columns * rows;
  const codes = new Uint8Array(size).fill(32);
  const fgs = new Uint32Array(size);
  const bgs = new Uint32Array(size);
  const bolds = new Uint8Array(size);
  const stale = new Uint8Array(size).fill(1);

  const set = (at: number, code: number, fg: number, bg: number, bold: number) => {
    if (codes[at] === code && fgs[at] === fg && bgs[at] === bg && bolds[at] === bold) return;
    codes[at] = code;
    fgs[at] = fg;
    bgs[at] = bg;
    bolds[at] = bold;
    stale[at] = 1;
  };

  const screen: TextScreen = {
    columns,
    rows,
    put(row, column, text, style) {
      const end = Math.min(text.length, columns - column);
      for (let i = 0; i < end; i++) {
        const code = text.charCodeAt(i);
        const printable = code >= 32 && code <= 126 ? code : 63;
        set(row * columns + column + i, printable, style.fg, style.bg, style.bold ? 1 : 0);
      }
    },
    blank(from, to, style) {
      for (let at = from * columns; at < to * columns; at++) set(at, 32, style.fg, style.bg, 0);
    },
    scrollUp(from, to, style) {
      for (let at = from * columns; at < (to - 1) * columns; at++) {
        const below = at + columns;
        set(at, codes[below] ?? 32, fgs[below] ?? 0, bgs[below] ?? 0, bolds[below] ?? 0);
      }
      screen.blank(to - 1, to, style);
    },
    expose({ x, y, width, height }) {
      const lastRow = Math.min(rows - 1, Math.floor((y + height - 1 - top) / cellHeight));
      const lastColumn = Math.min(columns - 1, Math.floor((x + width - 1 - left) / cellWidth));
      for (let row = Math.max(0, Math.floor((y - top) / cellHeight)); row <= lastRow; row++) {
        const first = Math.max(0, Math.floor((x - left) / cellWidth));
        for (let column = first; column <= lastColumn; column++) stale[row * columns + column] = 1;
      }
    },
    at: (row, column) => ({ x: left + column * cellWidth, y: top + row * cellHeight }),
    render() {
      for (let at = stale.indexOf(1); at >= 0; at = stale.indexOf(1, at + 1)) {
        stale[at] = 0;
        const { x, y } = screen.at(Math.floor(at / columns), at % columns);
        framebuffer.cell(x, y, codes[at] ?? 32, bolds[at] ? 'bold' : 'regular', fgs[at] ?? 0, bgs[at] ?? 0);
      }
    },
    text() {
      return Array.from({ length: rows }, (_, row) =>
        String.fromCharCode(...codes.subarray(row * columns, (row + 1) * columns)).trimEnd(),
      );
    },
  };
  return screen;
}
