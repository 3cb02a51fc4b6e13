import type { DisplayAdapter } from '../display/display-adapter.ts';
import { binaryInput, resizeMessage, textInput } from './input-messages.ts';
import type { FittedXterm } from './xterm.ts';

/** A text terminal: one xterm.js that keeps its text while sockets come and go. */
export interface Terminal extends DisplayAdapter {
  focus(): void;
  /** Sends text as a paste, which programs can tell from typing. */
  paste(text: string): void;
  readonly selection: string;
  /** Makes the text larger or smaller, by pixels. */
  zoom(step: number): void;
  /** Sends text as typed. */
  send(text: string): void;
}

const fontSizes = { min: 9, initial: 15, max: 32 } as const;

export interface TerminalOptions {
  readonly target: HTMLElement;
  readonly viewOnly: boolean;
  onSelection(): void;
}

export function createTerminal({ target, viewOnly, onSelection }: TerminalOptions): Terminal {
  // A separate chunk: pages of screens do not load it.
  const loading = import('./xterm.ts');
  // `load` handles the failure; until then it must not count as unhandled.
  loading.catch(() => {});
  let fitted: FittedXterm | undefined;
  let socket: WebSocket | undefined;
  let onFirstFrame = () => {};
  let readOnly = viewOnly;

  const sendMessage = (message: Uint8Array<ArrayBuffer>) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(message);
  };
  const sendInput = (messages: readonly Uint8Array<ArrayBuffer>[]) => {
    if (!readOnly) for (const message of messages) sendMessage(message);
  };
  const sendSize = () => {
    if (fitted) sendMessage(resizeMessage(fitted.xterm.cols, fitted.xterm.rows));
  };

  async function create(): Promise<FittedXterm> {
    const { openXterm } = await loading;
    if (fitted) return fitted;
    fitted = openXterm(target, fontSizes.initial);
    const { xterm } = fitted;
    xterm.options.disableStdin = readOnly;
    xterm.onData((text) => sendInput(textInput(text)));
    xterm.onBinary((text) => sendInput(binaryInput(text)));
    xterm.onResize(sendSize);
    xterm.onSelectionChange(onSelection);
    return fitted;
  }

  function focus(): void {
    if (!readOnly) fitted?.xterm.focus();
  }

  return {
    async load() {
      const { xterm } = await create();
      return (next, events) => {
        socket = next;
        onFirstFrame = events.onFirstFrame;
        sendSize();
        return (bytes) => xterm.write(new Uint8Array(bytes));
      };
    },
    setViewOnly(value) {
      readOnly = value;
      if (fitted) fitted.xterm.options.disableStdin = value;
    },
    onOpened() {
      // The text belongs to the previous connection. The machine sends its screen again, or nothing.
      fitted?.xterm.reset();
      sendSize();
      onFirstFrame();
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
      const size = (options.fontSize ?? fontSizes.initial) + step;
      options.fontSize = Math.max(fontSizes.min, Math.min(fontSizes.max, size));
      fitted.fit();
    },
    send: (text) => sendInput(textInput(text)),
  };
}
