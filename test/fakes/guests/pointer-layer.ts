import type { Rect } from './damage.ts';
import { rgb } from './framebuffer.ts';
import type { Color, Framebuffer } from './framebuffer.ts';
import { blend, theme } from './theme.ts';

/** The pointer on the screen: a crosshair, a fading trail, and a frame where a button was pressed. */
export interface PointerLayer {
  move(x: number, y: number, buttons: number): void;
  /** Fades the trail when the pointer rests. */
  rest(): void;
  clear(): void;
  state(): { x: number; y: number; buttons: number };
  /** The rectangles of the last drawing, to be repainted. Empty if the pointer has not moved. */
  outdated(): Rect[];
  draw(framebuffer: Framebuffer): void;
}

const trailLength = 14;
const maxMarks = 10;
const buttonColors = [rgb(0x56d364), rgb(0xf2cc60), rgb(0xff7b72)];
const reach = 12;

export function createPointerLayer(accent: Color): PointerLayer {
  let state = { x: 0, y: 0, buttons: 0 };
  let seen = false;
  let changed = false;
  let trail: { x: number; y: number }[] = [];
  let marks: { x: number; y: number; color: Color }[] = [];
  let drawn: Rect[] = [];

  return {
    move(x, y, buttons) {
      const pressed = buttons & ~state.buttons;
      buttonColors.forEach((color, button) => {
        if (pressed & (1 << button)) marks = [...marks, { x, y, color }].slice(-maxMarks);
      });
      if (seen && (x !== state.x || y !== state.y)) {
        trail = [...trail, { x: state.x, y: state.y }].slice(-trailLength);
      }
      state = { x, y, buttons };
      seen = true;
      changed = true;
    },
    rest() {
      if (trail.length === 0) return;
      trail = [];
      changed = true;
    },
    clear() {
      trail = [];
      marks = [];
      changed = true;
    },
    state: () => ({ ...state }),
    outdated() {
      if (!changed) return [];
      changed = false;
      return drawn;
    },
    draw(framebuffer) {
      drawn = [];
      const box = (x: number, y: number, width: number, height: number, color: Color) => {
        framebuffer.fill(x, y, width, height, color);
        drawn.push({ x, y, width, height });
      };
      for (const { x, y, color } of marks) {
        box(x - 6, y - 6, 13, 2, color);
        box(x - 6, y + 5, 13, 2, color);
        box(x - 6, y - 4, 2, 9, color);
        box(x + 5, y - 4, 2, 9, color);
      }
      for (const [i, { x, y }] of trail.entries()) {
        box(x - 1, y - 1, 3, 3, blend(theme.background, accent, (i + 1) / (trail.length + 1)));
      }
      if (!seen) return;
      const { x, y, buttons } = state;
      const color = buttons === 0 ? theme.strong.fg : accent;
      box(x - reach, y, reach - 2, 1, color);
      box(x + 3, y, reach - 2, 1, color);
      box(x, y - reach, 1, reach - 2, color);
      box(x, y + 3, 1, reach - 2, color);
      box(x, y, 1, 1, accent);
    },
  };
}
