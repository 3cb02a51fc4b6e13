import { rgb } from './framebuffer.ts';
import type { Color } from './framebuffer.ts';
import type { TextStyle } from './text-screen.ts';

const background = rgb(0x0d1117);
const on = (fg: number, bold = false): TextStyle => ({ fg: rgb(fg), bg: background, bold });

export const black: TextStyle = { fg: rgb(0xb8b8b8), bg: rgb(0x000000) };

/** The colours of the built-in machine. */
export const theme = {
  background,
  plain: on(0xd0d7de),
  strong: on(0xffffff, true),
  dim: on(0x7d8590),
  good: on(0x56d364),
  bad: on(0xff7b72),
  warm: on(0xf2cc60),
  bar: { fg: rgb(0xaeb9c5), bg: rgb(0x1c2430) },
  barStrong: { fg: rgb(0xffffff), bg: rgb(0x1c2430), bold: true },
  black,
} satisfies Record<string, TextStyle | Color>;

const accents = [0x2dd4bf, 0x60a5fa, 0xf472b6, 0xfbbf24, 0xa78bfa, 0x4ade80, 0xfb923c, 0x22d3ee];

/** A different colour for each machine, to distinguish consoles side by side. */
export function accentOf(name: string): Color {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return rgb(accents[sum % accents.length] ?? 0x2dd4bf);
}

/** Mixes two colours: `part` of the way from the first to the second. */
export function blend(from: Color, to: Color, part: number): Color {
  let mixed = 0;
  for (const shift of [0, 8, 16]) {
    const a = (from >>> shift) & 0xff;
    const b = (to >>> shift) & 0xff;
    mixed |= Math.round(a + (b - a) * part) << shift;
  }
  return mixed;
}
