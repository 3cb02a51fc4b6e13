import { useState } from 'preact/hooks';
import type { Terminal } from './terminal.ts';

/** Keys that phones lack, as a terminal sends them. */
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

/** A row of keys below the terminal, where the pointer is a finger. The keyboard stays up while they are pressed. */
export function TerminalKeys({ terminal }: { readonly terminal: Terminal }) {
  const [coarse] = useState(() => window.matchMedia('(pointer: coarse)').matches);
  if (!coarse) return null;
  const stay = (event: Event) => event.preventDefault();
  return (
    <div class="terminal-keys" role="group" aria-label="Special keys" onPointerDown={stay} onMouseDown={stay}>
      {keys.map(([label, name, text]) => (
        <button key={name} type="button" class="key" aria-label={name} onClick={() => terminal.send(text)}>
          {label}
        </button>
      ))}
    </div>
  );
}
