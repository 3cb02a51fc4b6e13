import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LayoutId } from '../../services/broker/web/src/console/keyboard/layouts/layout-list.ts';
import { sections } from './xkb-layouts.ts';

/** A key of a Linux machine, by its code in evdev, that was pressed or released. */
export type KeyEvent = readonly [code: number, pressed: boolean];

const script = fileURLToPath(new URL('decode-keys.py', import.meta.url));

/** The texts that Linux desktops with these layouts type, by libxkbcommon. */
export function decodeKeys(typed: readonly (readonly [LayoutId, readonly KeyEvent[]])[]): string[] {
  const input = typed.map(([id, events]) => {
    const [, layout = '', variant = ''] = /^(\w+)(?:\((\w+)\))?$/.exec(sections[id]) ?? [];
    return [layout, variant, events];
  });
  const { stdout, stderr, status } = spawnSync('python3', [script], {
    input: JSON.stringify(input),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`libxkbcommon cannot decode keys: ${stderr}`);
  return JSON.parse(stdout) as string[];
}

/** Codes in evdev, by `KeyboardEvent.code`. */
export const evdevCodes: ReadonlyMap<string, number> = new Map(
  (
    [
      [
        1,
        'Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace',
      ],
      [
        15,
        'Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft',
      ],
      [30, 'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash'],
      [44, 'KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight'],
      [56, 'AltLeft Space'],
      [86, 'IntlBackslash'],
      [89, 'IntlRo'],
      [100, 'AltRight'],
      [124, 'IntlYen'],
    ] as const
  ).flatMap(([first, codes]) => codes.split(' ').map((code, index) => [code, first + index] as const)),
);
