import { keysyms } from './shell.ts';

export interface KeyStroke {
  /** Keypad keys are reported as the keys that they stand for. */
  keysym: number;
  ctrl: boolean;
  alt: boolean;
}

/** Tracks the pressed modifiers and converts key events to strokes. */
export interface Keyboard {
  event(keysym: number, down: boolean): KeyStroke | undefined;
  typed(): string;
  count(): number;
  clear(): void;
}

const modifiers = { first: 0xffe1, last: 0xffee, isoLevel3: 0xfe03 };
const maxTyped = 10_000;

export function createKeyboard(): Keyboard {
  const down = new Set<number>();
  let typed = '';
  let count = 0;
  const held = (...keys: number[]) => keys.some((key) => down.has(key));

  return {
    event(raw, isDown) {
      const keysym = fromKeypad(raw);
      if (isModifier(keysym)) {
        if (isDown) down.add(keysym);
        else down.delete(keysym);
        return undefined;
      }
      if (!isDown) return undefined;
      count++;
      const character = characterOf(keysym);
      const ctrl = held(keysyms.controlLeft, keysyms.controlRight);
      const alt = held(keysyms.altLeft, keysyms.altRight);
      if (!ctrl && !alt) typed = (typed + character).slice(-maxTyped);
      return { keysym, ctrl, alt };
    },
    typed: () => typed,
    count: () => count,
    clear() {
      down.clear();
      typed = '';
      count = 0;
    },
  };
}

export function keyName({ keysym, ctrl, alt }: KeyStroke): string {
  const names: Record<number, string> = {
    0x20: 'Space',
    [keysyms.backspace]: 'Backspace',
    [keysyms.tab]: 'Tab',
    [keysyms.enter]: 'Enter',
    [keysyms.escape]: 'Escape',
    [keysyms.up]: 'Up',
    [keysyms.down]: 'Down',
    [keysyms.delete]: 'Delete',
  };
  const printable = keysym > 0x20 && keysym <= 0x7e ? String.fromCharCode(keysym) : undefined;
  const name = names[keysym] ?? printable ?? `0x${keysym.toString(16)}`;
  return `${ctrl ? 'Ctrl-' : ''}${alt ? 'Alt-' : ''}${name}`;
}

function isModifier(keysym: number): boolean {
  return (keysym >= modifiers.first && keysym <= modifiers.last) || keysym === modifiers.isoLevel3;
}

function fromKeypad(keysym: number): number {
  if (keysym === keysyms.keypadEnter) return keysyms.enter;
  if (keysym >= keysyms.keypad0 && keysym <= keysyms.keypad0 + 9) return 0x30 + keysym - keysyms.keypad0;
  return keysym;
}

function characterOf(keysym: number): string {
  if (keysym >= 0x20 && keysym <= 0x7e) return String.fromCharCode(keysym);
  if (keysym === keysyms.enter) return '\n';
  if (keysym === keysyms.backspace) return '\b';
  if (keysym === keysyms.tab) return '\t';
  return '';
}
