import type { Mode } from '../connection/view.ts';

export interface DisplayEvents {
  /** There is something to look at. */
  onFirstFrame(): void;
  /** What came was not what it should be. */
  onProtocolError(): void;
}

/** What a line's bytes appear on: a screen or a terminal. */
export interface DisplayAdapter {
  /** Loads what it needs; then puts one connection after the other onto it. */
  load(): Promise<AttachSocket>;
  setViewOnly(viewOnly: boolean): void;
  /** The relay has said that the console is open. */
  onOpened?(mode: Mode): void;
  detach(): void;
}

/** The socket is open. Answers who takes the bytes that come. */
export type AttachSocket = (socket: WebSocket, events: DisplayEvents) => (bytes: ArrayBuffer) => void;
