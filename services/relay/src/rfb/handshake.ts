import { createByteQueue, type ByteQueue } from './byte-queue.ts';

/**
 * Both handshakes of RFB 3.8 (RFC 6143 section 7.1 to 7.3) as machines that are fed bytes and say what to send:
 * the relay is the client of the machine and the server of the viewer, so neither sees the other's secrets.
 */
export interface Handshake {
  /**
   * Takes what arrived. `send` goes to the peer; when `done`, the handshake is over and `rest` holds what
   * arrived behind it. Throws PortholeError when the peer does not keep to the protocol or refuses.
   */
  push(chunk: Buffer): { readonly send: readonly Buffer[]; readonly done: boolean };
  /** Bytes behind the handshake; meaningful once done. */
  rest(): Buffer;
}

export const rfbVersion = Buffer.from('RFB 003.008\n', 'latin1');

export const securityTypes = { none: 1, vncAuthentication: 2 } as const;

/** ClientInit with the shared flag set: with 0 QEMU would disconnect everybody else (ui/vnc.c). */
export const sharedClientInit = Buffer.from([1]);

/**
 * A handshake of steps: `advance` does the next one with what has arrived and answers what to send, or undefined
 * while more bytes are needed or when there is no next one.
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
    rest: () => queue.rest(),
  };
}
