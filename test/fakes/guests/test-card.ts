import type { X11Painter } from './x11-painter.ts';

/** The content of Xvnc's screen: bars of known colours, the name, and a mark for each input. */
export const bars = [
  { x: 0, y: 60, width: 100, height: 200, color: 0xff0000 },
  { x: 100, y: 60, width: 100, height: 200, color: 0x00ff00 },
  { x: 200, y: 60, width: 100, height: 200, color: 0x0000ff },
  { x: 300, y: 60, width: 100, height: 200, color: 0xffff00 },
  { x: 400, y: 60, width: 100, height: 200, color: 0x00ffff },
  { x: 500, y: 60, width: 100, height: 200, color: 0xff00ff },
  { x: 600, y: 60, width: 100, height: 200, color: 0xffffff },
  { x: 700, y: 60, width: 100, height: 200, color: 0x808080 },
] as const;

/** Where typed keys appear: one cell of 16x26 pixels per key, from left to right and row by row. */
export const typing = { x: 16, y: 300, cellWidth: 16, cellHeight: 28, columns: 48, rows: 8 } as const;

const background = 0x101820;

export interface TestCard {
  key(painter: X11Painter, keysym: number): void;
  button(painter: X11Painter, x: number, y: number, button: number): void;
  motion(painter: X11Painter, x: number, y: number): void;
  draw(painter: X11Painter): void;
}

export function createTestCard(name: string): TestCard {
  let place = 0;
  return {
    draw(painter) {
      place = 0;
      painter.fill(0, 0, painter.width, painter.height, background);
      painter.text(16, 16, name, 0xffffff, 2);
      for (const { x, y, width, height, color } of bars) painter.fill(x, y, width, height, color);
    },
    key(painter, keysym) {
      // Modifiers, including the Shift that Xvnc presses for a capital letter.
      if (keysym >= 0xffe1 && keysym <= 0xffee) return;
      const x = typing.x + (place % typing.columns) * typing.cellWidth;
      const y = typing.y + Math.floor(place / typing.columns) * typing.cellHeight;
      place = (place + 1) % (typing.columns * typing.rows);
      painter.fill(x, y, typing.cellWidth, typing.cellHeight, 0x2dd4bf);
      if (keysym > 0x20 && keysym <= 0x7e) painter.text(x, y + 1, String.fromCharCode(keysym), 0x000000, 2);
    },
    button(painter, x, y, button) {
      painter.fill(x - 6, y - 6, 13, 13, [0x56d364, 0xf2cc60, 0xff7b72][button - 1] ?? 0xffffff);
    },
    motion(painter, x, y) {
      painter.fill(x - 1, y - 1, 3, 3, 0xfb923c);
    },
  };
}
