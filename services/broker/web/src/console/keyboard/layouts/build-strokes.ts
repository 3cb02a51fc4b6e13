import { keysymOf } from '../keysyms.ts';
import type { GuestLayout, LayoutId } from './layout-list.ts';
import { windowsLayouts } from './windows-layouts.ts';
import { keyCodes, namedKeysyms, xkbLayouts } from './xkb-layouts.ts';

/** One press of a key, with modifiers. */
export interface Stroke {
  readonly keysym: number;
  /** What the key types without modifiers. */
  readonly plainKeysym: number;
  /** As in `KeyboardEvent.code`. */
  readonly code: string;
  readonly shift: boolean;
  readonly altGr: boolean;
}

/** How each character of a layout is typed: with one stroke, or with a dead key and another key. */
export type Strokes = ReadonlyMap<string, readonly Stroke[]>;

interface KeyLevel {
  readonly character: string;
  readonly code: string;
  readonly level: number;
}

/** Keys that some keyboards lack. Shift with another key is better, and AltGr is not. */
const rareKeys: ReadonlySet<string> = new Set(['IntlRo', 'IntlBackslash', 'IntlYen']);

const [grave, acute, circumflex, tilde, diaeresis] = ['\u0300', '\u0301', '\u0302', '\u0303', '\u0308'];

/** What a dead key and the space bar type, on Linux and on Windows. On Linux, the acute types ' and the diaeresis ". */
const aloneOnLinux: Readonly<Record<string, string>> = { [grave]: '`', [circumflex]: '^', [tilde]: '~' };
const aloneOnWindows: Readonly<Record<string, string>> = {
  ...aloneOnLinux,
  [acute]: '´',
  [diaeresis]: '¨',
};

/** For its options `-k de` and `-k fr`, QEMU knows these keys by the keysyms that they would have if they were not dead. */
const withoutDeadKeys: ReadonlySet<LayoutId> = new Set(['de', 'fr']);
const spacingAccents: Readonly<Record<string, string>> = { ...aloneOnWindows, '\u0327': '¸' };

export function buildStrokes(layout: GuestLayout): Strokes {
  const windows = layout.system === 'windows';
  const direct = new Map<string, Stroke>();
  const keys = windows ? windowsKeys(layout) : linuxKeys(layout);
  const plain = new Map(
    keys.filter(({ level }) => level === 0).map((key) => [key.code, keysymIn(layout.id, key.character)]),
  );
  for (const { character, code, level } of inOrder(keys)) {
    if (direct.has(character)) continue;
    const keysym = keysymIn(layout.id, character);
    const modifiers = { shift: level % 2 === 1, altGr: level >= 2 };
    direct.set(character, { keysym, plainKeysym: plain.get(code) ?? keysym, code, ...modifiers });
  }
  direct.set(' ', plainStroke(0x20, 'Space'));
  direct.set('\n', plainStroke(0xff0d, 'Enter'));
  direct.set('\t', plainStroke(0xff09, 'Tab'));

  const strokes = new Map<string, readonly Stroke[]>();
  for (const [character, stroke] of direct) if (!isDead(character)) strokes.set(character, [stroke]);
  const alone = windows ? aloneOnWindows : aloneOnLinux;
  const composes = !windows || !windowsLayouts[layout.id].composesOtherLetters;
  for (const [dead, deadStroke] of direct) {
    if (!isDead(dead)) continue;
    for (const [base, stroke] of direct) {
      const both = base === ' ' ? alone[dead] : composes ? composed(base, dead, windows) : undefined;
      if (both !== undefined && !strokes.has(both)) strokes.set(both, [deadStroke, stroke]);
    }
  }
  return strokes;
}

const isDead = (character: string) => /^[\u0300-\u036f]$/.test(character);

/** Other compositions depend on the system's settings. */
function composed(base: string, dead: string, windows: boolean): string | undefined {
  const bases = !windows ? /^[a-z]$/i : dead === tilde ? /^[ano]$/i : /^[aeiou]$/i;
  const both = (base + dead).normalize('NFC');
  return bases.test(base) && both.length === 1 && both <= '\u00ff' ? both : undefined;
}

function linuxKeys({ id }: GuestLayout): KeyLevel[] {
  return xkbLayouts[id].flatMap((characters, level) =>
    keyCodes.map((code, index) => ({ character: characters[index] ?? ' ', code, level })),
  );
}

function windowsKeys(layout: GuestLayout): KeyLevel[] {
  const { altGr, plain = '' } = windowsLayouts[layout.id];
  const changed = parseKeys(plain, 0);
  const same = linuxKeys(layout).filter(
    ({ code, level }) => level < 2 && !changed.some((each) => each.code === code),
  );
  return [...same, ...changed, ...parseKeys(altGr, 2)];
}

function parseKeys(keys: string, firstLevel: number): KeyLevel[] {
  return keys.split(' ').flatMap((key) => {
    const [code = '', characters = ''] = key.split(':');
    return Array.from(characters, (character, index) => ({ character, code, level: firstLevel + index }));
  });
}

/** Simpler strokes first. */
function inOrder(keys: readonly KeyLevel[]): KeyLevel[] {
  const effort = ({ code, level }: KeyLevel) => (level < 2 && rareKeys.has(code) ? 1.5 + level / 10 : level);
  return keys.filter(({ character }) => character !== ' ').toSorted((a, b) => effort(a) - effort(b));
}

function keysymIn(id: LayoutId, character: string): number {
  const spacing = (withoutDeadKeys.has(id) ? spacingAccents[character] : undefined) ?? character;
  return namedKeysyms[spacing] ?? keysymOf(spacing);
}

function plainStroke(keysym: number, code: string): Stroke {
  return { keysym, plainKeysym: keysym, code, shift: false, altGr: false };
}
