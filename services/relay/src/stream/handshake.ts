import { createByteQueue, type ByteQueue } from './byte-queue.ts';

/**
 * A handshake as a machine that is fed bytes and says what to send. The relay is the client of the machine and the
 * server of the viewer, so neither sees the other's secrets.
 */
export interface Handshake {
  /**
   * Takes what arrived. `send` goes to the peer; when `done`, the handshake is over and `leftover` holds what
   * arrived behind it. Throws PortholeError when the peer breaks the protocol or refuses.
   */
  push(chunk: Buffer): { readonly send: readonly Buffer[]; readonly done: boolean };
  /** Bytes behind the handshake; meaningful once done. */
  leftover(): Buffer;
}

/**
 * A handshake of steps: `advance` does the next one with what has arrived and returns what to send, or undefined
 * while more bytes are needed or when there is no next step.
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
    leftover: () => queue.rest(),
  };
}
