import type { PortholeError } from '@porthole/shared/errors';

/**
 * One side of a console, the viewer's or the machine's, as the pump and the handshakes see it: bytes in, bytes
 * out, and how much waits. How they are framed and carried is the implementation's own business.
 */
export interface Link {
  /**
   * Sends; never blocks. The memory is the caller's again when this returns. Answers whether the network keeps up;
   * if not, look at `buffered` and stop feeding when it grows.
   */
  send(source: Buffer, start?: number, end?: number): boolean;
  /** Bytes that wait to be taken by the network. */
  readonly buffered: number;
  /** Data frames that were sent so far. */
  readonly framesSent: number;
  /** Stop and go on reading. */
  pause(): void;
  resume(): void;
  /** Replaces who gets what arrives. A link starts paused: the first handler comes before the first byte. */
  setHandler(handler: LinkHandler): void;
  /** Ends without a word. */
  destroy(): void;
}

export interface LinkHandler {
  /** Bytes have arrived, and lie there. The memory is lent for the call: thousands of sessions share it. */
  onBytes(source: Buffer, start: number, end: number): void;
  /** Something that was sent has left; `buffered` is smaller now. */
  onDrained?(): void;
  /**
   * The other side is gone, or broke its protocol: then with the error. Called once, to the handler of that moment
   * or the next one.
   */
  onEnded(error?: PortholeError): void;
}
