import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { labelElement } from '../../language/label-element.ts';
import { makeDocumentCspSafe } from './csp-safe-document.ts';

const theme = {
  background: '#000000',
  foreground: '#e8f0f0',
  cursor: '#58c6bb',
  cursorAccent: '#03211f',
  selectionBackground: '#2f5d66',
};

export interface FittedXterm {
  readonly xterm: Terminal;
  /** Fits the columns and rows to the element after the font size changed. */
  fit(): void;
}

/** Opens xterm.js in an element and keeps it as large as that. This module is loaded on demand. */
export function openXterm(target: HTMLElement, fontSize: number): FittedXterm {
  makeDocumentCspSafe(document);
  const xterm = new Terminal({
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize,
    cursorBlink: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    scrollback: 5000,
    theme,
    minimumContrastRatio: 3,
  });
  const addon = new FitAddon();
  xterm.loadAddon(addon);
  xterm.open(target);
  labelElement(xterm.textarea, 'terminal.label');
  const fit = () => addon.fit();
  new ResizeObserver(fit).observe(target);
  // Ctrl+C goes to the machine. With Shift it copies, as in other terminals. The browser handles pasting.
  xterm.attachCustomKeyEventHandler((event) => {
    const copies = event.ctrlKey && event.shiftKey && event.code === 'KeyC';
    const pastes = event.ctrlKey && event.shiftKey && event.code === 'KeyV';
    if (copies && event.type === 'keydown') {
      event.preventDefault();
      void navigator.clipboard.writeText(xterm.getSelection()).catch(() => {});
    }
    return !(copies || pastes);
  });
  fit();
  return { xterm, fit };
}
