import { sleep, type Clock } from '@porthole/shared/time/clock';
import type { Screen } from '../display/screen.ts';
import { keysymOf } from './keysyms.ts';
import type { Stroke, Strokes } from './layouts/build-strokes.ts';

type KeySender = Pick<Screen, 'sendKey'>;

/** Text as it is typed: one character per letter with its accent, and per end of a line. */
export function typedText(text: string): readonly string[] {
  return Array.from(text.replaceAll(/\r\n?/g, '\n').normalize('NFC'));
}

/** The characters that the layout lacks, in the order of the text, and how often they occur. */
export function missingCharacters(text: string, strokes: Strokes): ReadonlyMap<string, number> {
  const missing = new Map<string, number>();
  for (const character of typedText(text))
    if (!strokes.has(character)) missing.set(character, (missing.get(character) ?? 0) + 1);
  return missing;
}

/** Types a character, or sends the keysym of one that the layout lacks, which machines may ignore. */
export function typeCharacter(screen: KeySender, strokes: Strokes, character: string): void {
  const known = strokes.get(character);
  if (known) for (const stroke of known) pressKey(screen, stroke);
  else screen.sendKey(keysymOf(character), '');
}

/** QEMU uses the key's position or, with its option `-k`, the keysym: so both are those of a real keyboard. */
function pressKey(screen: KeySender, { keysym, plainKeysym, code, shift, altGr }: Stroke): void {
  if (altGr) screen.sendKey(0xfe03, 'AltRight', true);
  if (shift) screen.sendKey(0xffe1, 'ShiftLeft', true);
  screen.sendKey(keysym, code, true);
  screen.sendKey(keysym, code, false);
  // With `-k`, QEMU 7.2 releases another key for a keysym that is on several keys. Otherwise, this does nothing.
  if (plainKeysym !== keysym) screen.sendKey(plainKeysym, code, false);
  if (shift) screen.sendKey(0xffe1, 'ShiftLeft', false);
  if (altGr) screen.sendKey(0xfe03, 'AltRight', false);
}

/**
 * QEMU gives a machine one key event every 10 ms (`key-delay-ms`). It queues some 340 more and drops the rest, also releases of
 * keys. The margin is for machines that stand still for a moment: their keyboard keeps 16 bytes.
 */
const keyEventMs = 16;

const keyEvents = (strokes: readonly Stroke[]) =>
  strokes.reduce((sum, { shift, altGr }) => sum + 2 + (shift ? 2 : 0) + (altGr ? 2 : 0), 0);

export interface TypeTextOptions {
  readonly screen: KeySender;
  readonly strokes: Strokes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onTyped: (count: number) => void;
}

/**
 * Types text key by key, for machines without a clipboard, and skips characters that the layout lacks. Stops when the signal is
 * aborted: between characters, so that no key stays down. Returns the number of characters that it has typed.
 */
export async function typeText(text: string, options: TypeTextOptions): Promise<number> {
  const { screen, strokes, clock, signal, onTyped } = options;
  let count = 0;
  for (const character of typedText(text)) {
    const known = strokes.get(character);
    if (!known) continue;
    if (signal.aborted) break;
    typeCharacter(screen, strokes, character);
    count += 1;
    onTyped(count);
    // Keys are sent one after the other. An abort ends the loop above.
    // oxlint-disable-next-line no-await-in-loop
    await sleep(clock, keyEvents(known) * keyEventMs, signal).catch(() => {});
  }
  return count;
}
