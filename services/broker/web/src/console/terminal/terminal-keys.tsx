import { useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { KeyButton } from '../keyboard/key-button.tsx';
import type { Terminal } from './terminal.ts';

/** Keys that phones lack, with the text that a terminal sends for them. */
const keys: readonly (readonly [label: string, name: () => string, text: string])[] = [
  ['Esc', () => 'Escape', '\x1b'],
  ['Tab', () => 'Tab', '\t'],
  ['^C', () => t('keys.control', { letter: 'C' }), '\x03'],
  ['^D', () => t('keys.control', { letter: 'D' }), '\x04'],
  ['^Z', () => t('keys.control', { letter: 'Z' }), '\x1a'],
  ['^L', () => t('keys.control', { letter: 'L' }), '\x0c'],
  ['^R', () => t('keys.control', { letter: 'R' }), '\x12'],
  ['←', () => t('keys.left'), '\x1b[D'],
  ['↑', () => t('keys.up'), '\x1b[A'],
  ['↓', () => t('keys.down'), '\x1b[B'],
  ['→', () => t('keys.right'), '\x1b[C'],
  ['|', () => t('keys.pipe'), '|'],
  ['/', () => t('keys.slash'), '/'],
  ['~', () => t('keys.tilde'), '~'],
];

/** A row of keys below the terminal on touch devices. */
export function TerminalKeys({ terminal }: { readonly terminal: Terminal }) {
  const [coarse] = useState(() => window.matchMedia('(pointer: coarse)').matches);
  if (!coarse) return null;
  // A button that takes the focus would close the on-screen keyboard.
  const keepFocus = (event: Event) => event.preventDefault();
  return (
    <div
      class="terminal-keys"
      dir="ltr"
      role="group"
      aria-label={t('keys.label')}
      onPointerDown={keepFocus}
      onMouseDown={keepFocus}
    >
      {keys.map(([label, name, text]) => (
        <KeyButton key={label} label={label} name={name()} onClick={() => terminal.send(text)} />
      ))}
    </div>
  );
}
