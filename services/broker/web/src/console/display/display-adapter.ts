import type { Mode } from '../connection/view.ts';

export interface DisplayEvents {
  /** The display shows the machine's first frame. */
  onFirstFrame(): void;
  /** The bytes are not what the protocol requires. */
  onProtocolError(): void;
}

/** Shows what a console socket receives: a screen or a terminal. Stays while sockets come and go. */
export interface DisplayAdapter {
  /** Loads the viewer's code. The result attaches one socket after the other. */
  load(): Promise<AttachSocket>;
  setViewOnly(viewOnly: boolean): void;
  /** The relay has opened the console. */
  onOpened?(mode: Mode): void;
  /** Ends the use of the socket. From then on, input goes nowhere. */
  detach(): void;
}

/** Attaches an open socket and returns the function that takes its binary messages. */
export type AttachSocket = (socket: WebSocket, events: DisplayEvents) => (bytes: ArrayBuffer) => void;
