import { keysymOf, namedKeys } from './keysyms.ts';
import type { Screen } from '../display/screen.ts';

/**
 * The keys of a US keyboard by their characters, without and with Shift. A machine that uses key positions, such as
 * QEMU, needs Shift pressed as well. Other characters are sent as keysyms, which such a machine can ignore.
 */
const rows: readonly (readonly [codes: string, plain: string, shifted: string])[] = [
  [
    'Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal',
    '`1234567890-=',
    '~!@#$%^&*()_+',
  ],
  [
    'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Backslash',
    'qwertyuiop[]\\',
    'QWERTYUIOP{}|',
  ],
  ['KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote', "asdfghjkl;'", 'ASDFGHJKL:"'],
  ['KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash Space', 'zxcvbnm,./ ', 'ZXCVBNM<>?'],
];

/** How a character is typed. */
interface Stroke {
  readonly code: string;
  readonly shift: boolean;
}

const strokes = new Map<string, Stroke>();
for (const [codes, plain, shifted] of rows) {
  codes.split(' ').forEach((code, index) => {
    const [low, high] = [plain[index], shifted[index]];
    if (low) strokes.set(low, { code, shift: false });
    if (high) strokes.set(high, { code, shift: true });
  });
}

type KeySender = Pick<Screen, 'sendKey'>;

export function typeCharacter(screen: KeySender, character: string): void {
  if (character === '\n' || character === '\t') {
    const special = character === '\n' ? namedKeys['Enter'] : namedKeys['Tab'];
    if (special) screen.sendKey(special.keysym, special.code);
    return;
  }
  const stroke = strokes.get(character);
  const keysym = keysymOf(character);
  if (!stroke) return screen.sendKey(keysym, '');
  if (stroke.shift) screen.sendKey(0xffe1, 'ShiftLeft', true);
  screen.sendKey(keysym, stroke.code);
  if (stroke.shift) screen.sendKey(0xffe1, 'ShiftLeft', false);
}

/** Login prompts and installers drop keys that come faster. */
const keyIntervalMs = 12;

/** Types text key by key, for machines without a clipboard. Stops when the signal is aborted. */
export async function typeText(screen: KeySender, text: string, signal: AbortSignal): Promise<void> {
  for (const character of text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')) {
    if (signal.aborted) return;
    typeCharacter(screen, character);
    // Keys are sent one after the other.
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, keyIntervalMs));
  }
}
