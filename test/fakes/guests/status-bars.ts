import { clockText, duration } from './commands.ts';
import type { Color, Framebuffer } from './framebuffer.ts';
import type { TextScreen } from './text-screen.ts';
import { theme } from './theme.ts';

interface Status {
  now: Date;
  upSeconds: number;
  viewers: number;
  pointer: { x: number; y: number; buttons: number };
  keys: number;
  lastKey: string;
}

/** The first and the last row of the screen: the machine's name, the time, and the viewer's input. */
export interface StatusBars {
  put(status: Status): void;
  /** Paints the strip of pixels around the cells. */
  frame(framebuffer: Framebuffer, withBars: boolean): void;
  /** The load curve and the line under the bar, painted after the cells. */
  decorate(framebuffer: Framebuffer, now: number): void;
}

const curveBars = 16;
const curveColumns = 8;

export function createStatusBars(
  screen: TextScreen,
  { name, accent }: { name: string; accent: Color },
): StatusBars {
  const { columns, rows } = screen;
  const curveAt = columns - 34;

  return {
    put({ now, upSeconds, viewers, pointer, keys, lastKey }) {
      const buttons = ['L', 'M', 'R']
        .map((letter, i) => (pointer.buttons & (1 << i) ? letter : '-'))
        .join('');
      const time = clockText(now);
      const top = ' '.repeat(columns);
      screen.put(0, 0, top, theme.bar);
      screen.put(0, 1, ' ', theme.bar);
      screen.put(0, 4, name.slice(0, curveAt - 14), theme.barStrong);
      screen.put(0, curveAt - 5, 'load', theme.bar);
      screen.put(0, columns - time.length - 1, time, theme.barStrong);

      const left = ` pointer ${String(pointer.x).padStart(4)},${String(pointer.y).padStart(4)}  buttons ${buttons}`;
      const middle = `keys ${keys}${lastKey === '' ? '' : `  last ${lastKey}`}`;
      const right = `viewers ${viewers}  up ${duration(upSeconds)} `;
      screen.put(rows - 1, 0, left.padEnd(columns), theme.bar);
      screen.put(rows - 1, left.length + 4, middle, theme.bar);
      screen.put(rows - 1, columns - right.length, right, theme.bar);
    },
    frame(framebuffer, withBars) {
      const { x, y } = screen.at(0, 0);
      const { width, height } = framebuffer;
      const bottom = y + rows * 16;
      const right = x + columns * 8;
      const edge = withBars ? theme.bar.bg : theme.black.bg;
      const inner = withBars ? theme.background : theme.black.bg;
      framebuffer.fill(0, 0, width, y, edge);
      framebuffer.fill(0, bottom, width, height - bottom, edge);
      for (const [from, to] of [
        [0, x],
        [right, width],
      ] as const) {
        framebuffer.fill(from, y, to - from, 16, edge);
        framebuffer.fill(from, y + 16, to - from, (rows - 2) * 16, inner);
        framebuffer.fill(from, bottom - 16, to - from, 16, edge);
      }
    },
    decorate(framebuffer, now) {
      const lamp = screen.at(0, 1);
      framebuffer.fill(lamp.x + 4, lamp.y + 4, 9, 9, accent);
      const line = screen.at(1, 0);
      framebuffer.fill(0, line.y, framebuffer.width, 2, accent);
      const curve = screen.at(0, curveAt);
      const second = Math.floor(now / 1000);
      for (let i = 0; i < curveBars; i++) {
        const height = load(name, second - curveBars + i);
        const x = curve.x + (i * curveColumns * 8) / curveBars;
        framebuffer.fill(x, curve.y + 2, 3, 12 - height, theme.bar.bg);
        framebuffer.fill(x, curve.y + 14 - height, 3, height, accent);
      }
    },
  };
}

/** A fictitious load of 1 to 12, computed from the machine and the second. */
function load(name: string, second: number): number {
  const seed = name.length + (name.charCodeAt(0) || 0);
  const wave = Math.sin((second + seed) / 5) + Math.sin((second + seed) / 1.7) * 0.7;
  return Math.max(1, Math.min(12, Math.round(6 + wave * 3.2)));
}
