import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
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
  /** Makes it as large as its element, after letters have changed. */
  fit(): void;
}

/** xterm.js in an element, as large as that is. Everything of it is in this module, which is loaded when needed. */
export function openXterm(target: HTMLElement, fontSize: number): FittedXterm {
  makeDocumentCspSafe(document);
  const xterm = new Terminal({
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize,
    cursorBlink: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    // As far back as people scroll, and no more memory than that.
    scrollback: 5000,
    theme,
    minimumContrastRatio: 3,
  });
  const addon = new FitAddon();
  xterm.loadAddon(addon);
  xterm.open(target);
  xterm.textarea?.setAttribute('aria-label', 'Terminal of the machine');
  const fit = () => addon.fit();
  new ResizeObserver(fit).observe(target);
  // Ctrl+C belongs to the machine; with Shift it copies, as in other terminals. Pasting is the browser's own.
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
