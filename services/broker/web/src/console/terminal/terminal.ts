import type { DisplayAdapter } from '../display/display-adapter.ts';
import { resizeMessage, binaryInput, textInput } from './input-messages.ts';
import type { FittedXterm } from './xterm.ts';

/** A text terminal: one xterm.js that stays, with its text, while connections come and go. */
export interface Terminal extends DisplayAdapter {
  focus(): void;
  /** As if it was typed; programs that know the difference are told that it was pasted. */
  paste(text: string): void;
  readonly selection: string;
  /** Larger or smaller letters, by so many pixels. */
  zoom(step: number): void;
  /** Sends keys that a phone does not have. */
  send(text: string): void;
}

export const fontSizes = { least: 9, first: 15, most: 32 } as const;

export interface TerminalOptions {
  readonly target: HTMLElement;
  readonly viewOnly: boolean;
  onSelection(): void;
}

export function createTerminal({ target, viewOnly, onSelection }: TerminalOptions): Terminal {
  // Not a part of the page of screens: whoever never opens a terminal never loads it.
  const loading = import('./xterm.ts');
  loading.catch(() => {});
  let fitted: FittedXterm | undefined;
  let socket: WebSocket | undefined;
  let pictured = () => {};
  let readOnly = viewOnly;

  const say = (message: Uint8Array<ArrayBuffer>) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(message);
  };
  const type = (messages: readonly Uint8Array<ArrayBuffer>[]) => {
    if (!readOnly) for (const message of messages) say(message);
  };
  const tellSize = () => {
    if (fitted) say(resizeMessage(fitted.xterm.cols, fitted.xterm.rows));
  };

  async function make(): Promise<FittedXterm> {
    const { openXterm } = await loading;
    if (fitted) return fitted;
    fitted = openXterm(target, fontSizes.first);
    const { xterm } = fitted;
    xterm.options.disableStdin = readOnly;
    xterm.onData((text) => type(textInput(text)));
    xterm.onBinary((text) => type(binaryInput(text)));
    xterm.onResize(tellSize);
    xterm.onSelectionChange(onSelection);
    return fitted;
  }

  function focus(): void {
    if (!readOnly) fitted?.xterm.focus();
  }

  return {
    async load() {
      const { xterm } = await make();
      return (next, events) => {
        socket = next;
        pictured = events.onFirstFrame;
        tellSize();
        return (bytes) => xterm.write(new Uint8Array(bytes));
      };
    },
    setViewOnly(value) {
      readOnly = value;
      if (fitted) fitted.xterm.options.disableStdin = value;
    },
    onOpened() {
      // What was there before belongs to a connection that is gone; the machine shows its screen anew, or nothing.
      fitted?.xterm.reset();
      tellSize();
      pictured();
      if (document.activeElement === document.body || !document.activeElement) focus();
    },
    detach() {
      socket = undefined;
    },
    focus,
    paste: (text) => fitted?.xterm.paste(text),
    get selection() {
      return fitted?.xterm.getSelection() ?? '';
    },
    zoom(step) {
      if (!fitted) return;
      const { options } = fitted.xterm;
      const size = (options.fontSize ?? fontSizes.first) + step;
      options.fontSize = Math.max(fontSizes.least, Math.min(fontSizes.most, size));
      fitted.fit();
    },
    send: (text) => type(textInput(text)),
  };
}
