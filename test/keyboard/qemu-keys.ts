import { evdevCodes, type KeyEvent } from './decode-keys.ts';

/** QEMU's names of keys that are not those of letters and digits, and `KeyboardEvent.code`. */
const names: Readonly<Record<string, string>> = {
  minus: 'Minus',
  equal: 'Equal',
  backspace: 'Backspace',
  tab: 'Tab',
  bracket_left: 'BracketLeft',
  bracket_right: 'BracketRight',
  ret: 'Enter',
  ctrl: 'ControlLeft',
  semicolon: 'Semicolon',
  apostrophe: 'Quote',
  grave_accent: 'Backquote',
  shift: 'ShiftLeft',
  backslash: 'Backslash',
  comma: 'Comma',
  dot: 'Period',
  slash: 'Slash',
  shift_r: 'ShiftRight',
  alt: 'AltLeft',
  alt_r: 'AltRight',
  spc: 'Space',
  less: 'IntlBackslash',
  ro: 'IntlRo',
  yen: 'IntlYen',
};

/** Linux calls it KEY_UNKNOWN. QEMU reports it for a keysym that its option `-k` does not know. */
const unknownKey = 240;

/** The keys that QEMU's keyboard gives its machine, from QEMU's trace. */
export function keysOfTrace(trace: readonly string[]): KeyEvent[] {
  return trace.flatMap((line) => {
    const [, qcode, down] = /input_event_key_qcode .*key qcode (\w+), down (\d)/.exec(line) ?? [];
    if (qcode === undefined) return [];
    const code = names[qcode] ?? (/^\d$/.test(qcode) ? `Digit${qcode}` : `Key${qcode.toUpperCase()}`);
    const evdev = qcode === 'unmapped' ? unknownKey : evdevCodes.get(code);
    if (evdev === undefined) throw new Error(`this key of QEMU is not known: ${qcode}`);
    return [[evdev, down === '1'] as const];
  });
}
