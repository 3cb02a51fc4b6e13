/**
 * One direction of a console: bytes, then an end. It has no back-pressure, like pveproxy, which buffers what a slow
 * side does not read.
 */
export interface ByteSink {
  data(bytes: Buffer): void;
  end(): void;
}

/** The program behind a console port: called once per client with the sink to it, returns the sink to the program. */
export type ConsoleProgram = (client: ByteSink) => ByteSink;
