/**
 * One direction of a console: bytes, then an end. There is no way to push back, on purpose: pveproxy has no
 * back-pressure either and buffers whatever a slow side does not take.
 */
export interface ByteSink {
  data(bytes: Buffer): void;
  end(): void;
}

/** What listens on a console port: called once per accepted client, takes the way to it and gives the way back. */
export type ConsoleProgram = (client: ByteSink) => ByteSink;
