import { createByteQueue, type ByteQueue } from './byte-queue.ts';

/**
 * A handshake as a state machine: it takes bytes and returns what to send. The relay is the client of the machine and
 * the server of the viewer, so neither receives the other's secrets.
 */
export interface Handshake {
  /**
   * Takes what arrived. `send` is for the peer. Once `done`, the handshake is over. Throws PortholeError if the peer
   * breaks the protocol or refuses.
   */
  push(chunk: Buffer): { readonly send: readonly Buffer[]; readonly done: boolean };
  /** Bytes that arrived behind the handshake. Valid once done. */
  leftover(): Buffer;
}

/**
 * Creates a handshake of steps. `advance` does the next step and returns what to send, or undefined if more bytes are
 * needed or no step is left.
 */
export function createHandshake(steps: {
  advance(queue: ByteQueue): readonly Buffer[] | undefined;
  done(): boolean;
}): Handshake {
  const queue = createByteQueue();
  return {
    push(chunk) {
      queue.push(chunk);
      const send: Buffer[] = [];
      for (let out = steps.advance(queue); out; out = steps.advance(queue)) send.push(...out);
      return { send, done: steps.done() };
    },
    leftover: () => queue.readAll(),
  };
}
