import type { Mode } from './view.ts';

export interface SurfaceEvents {
  /** There is something to look at. */
  picture(): void;
  /** What came was not what it should be. */
  broken(): void;
}

/** What a line's bytes appear on: a screen or a terminal. */
export interface Surface {
  /** Loads what it needs; then puts one connection after the other onto it. */
  load(): Promise<Attach>;
  setViewOnly(viewOnly: boolean): void;
  /** The relay has said that the console is open. */
  opened?(mode: Mode): void;
  detach(): void;
}

/** The socket is open. Answers who takes the bytes that come. */
export type Attach = (socket: WebSocket, events: SurfaceEvents) => (bytes: ArrayBuffer) => void;
