import { PortholeError } from '@porthole/shared/errors';
import { createHandshake, type Handshake } from '../stream/handshake.ts';

const accepted = Buffer.from('OK');

/** What termproxy wants to hear first: whose ticket, and the ticket, up to the end of the line. */
export function loginLine(user: string, ticket: string): Buffer {
  return Buffer.from(`${user}:${ticket}\n`);
}

/** Waits for termproxy's `OK`. What is glued to it is the terminal's first output, and stays as the rest. */
export function createTerminalLogin(): Handshake {
  let done = false;
  return createHandshake({
    advance(queue) {
      if (done) return undefined;
      const answer = queue.take(accepted.length);
      if (!answer) return undefined;
      if (!answer.equals(accepted))
        throw new PortholeError('proxmox_invalid_response', {
          detail: 'termproxy answers something else than OK',
        });
      done = true;
      return [];
    },
    done: () => done,
  });
}
