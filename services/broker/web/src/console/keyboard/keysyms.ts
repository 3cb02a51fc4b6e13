/** A key of a keyboard. Machines that know the key's position, such as QEMU, ignore the keysym. */
export interface Key {
  /** X11 keysym. */
  readonly keysym: number;
  /** The key's position, as in `KeyboardEvent.code`. */
  readonly code: string;
}

const key = (keysym: number, code: string): Key => ({ keysym, code });

export const modifierKeys = {
  Ctrl: key(0xffe3, 'ControlLeft'),
  Alt: key(0xffe9, 'AltLeft'),
  Shift: key(0xffe1, 'ShiftLeft'),
  Win: key(0xffeb, 'MetaLeft'),
} as const;

export type Modifier = keyof typeof modifierKeys;

/** By `KeyboardEvent.key`. */
export const namedKeys: Readonly<Record<string, Key>> = {
  Escape: key(0xff1b, 'Escape'),
  Tab: key(0xff09, 'Tab'),
  Enter: key(0xff0d, 'Enter'),
  Backspace: key(0xff08, 'Backspace'),
  Delete: key(0xffff, 'Delete'),
  Home: key(0xff50, 'Home'),
  End: key(0xff57, 'End'),
  PageUp: key(0xff55, 'PageUp'),
  PageDown: key(0xff56, 'PageDown'),
  ArrowLeft: key(0xff51, 'ArrowLeft'),
  ArrowUp: key(0xff52, 'ArrowUp'),
  ArrowRight: key(0xff53, 'ArrowRight'),
  ArrowDown: key(0xff54, 'ArrowDown'),
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`F${index + 1}`, key(0xffbe + index, `F${index + 1}`)]),
  ),
};

/** The keysym of a character: Latin-1 as it is, other code points plus 0x01000000 (X11 protocol, appendix A). */
export function keysymOf(character: string): number {
  if (character === '\n' || character === '\r') return 0xff0d;
  if (character === '\t') return 0xff09;
  const point = character.codePointAt(0) ?? 0;
  return (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff) ? point : 0x01000000 + point;
}
