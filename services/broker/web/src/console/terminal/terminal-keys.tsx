import { useState } from 'preact/hooks';
import { KeyButton } from '../keyboard/key-button.tsx';
import type { Terminal } from './terminal.ts';

/** Keys that phones lack, with the text that a terminal sends for them. */
const keys: readonly (readonly [label: string, name: string, text: string])[] = [
  ['Esc', 'Escape', '\x1b'],
  ['Tab', 'Tab', '\t'],
  ['^C', 'Control C', '\x03'],
  ['^D', 'Control D', '\x04'],
  ['^Z', 'Control Z', '\x1a'],
  ['^L', 'Control L', '\x0c'],
  ['^R', 'Control R', '\x12'],
  ['←', 'Left', '\x1b[D'],
  ['↑', 'Up', '\x1b[A'],
  ['↓', 'Down', '\x1b[B'],
  ['→', 'Right', '\x1b[C'],
  ['|', 'Pipe', '|'],
  ['/', 'Slash', '/'],
  ['~', 'Tilde', '~'],
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
      role="group"
      aria-label="Special keys"
      onPointerDown={keepFocus}
      onMouseDown={keepFocus}
    >
      {keys.map(([label, name, text]) => (
        <KeyButton key={name} label={label} name={name} onClick={() => terminal.send(text)} />
      ))}
    </div>
  );
}
