/**
 * One side of a console, the viewer's or the machine's, as the pump and the handshakes see it: bytes in, bytes
 * out, and how much waits. What carries it (a `ws` socket today) is the implementation's own business.
 */
export interface Link {
  /** Sends; never blocks. Look at `buffered` and stop feeding when it grows. */
  send(bytes: Buffer): void;
  /** Bytes that wait to be taken by the network. */
  readonly buffered: number;
  /** Stop and go on reading. */
  pause(): void;
  resume(): void;
  /** Replaces who gets what arrives. A link starts paused: the first handler comes before the first byte. */
  handle(handler: LinkHandler): void;
  /** Ends without a word. */
  destroy(): void;
}

export interface LinkHandler {
  bytes(chunk: Buffer): void;
  /** Something that was sent has left; `buffered` is smaller now. */
  drained?(): void;
  /** The other side is gone. Called once, to the handler of that moment or the next one. */
  ended(): void;
}
