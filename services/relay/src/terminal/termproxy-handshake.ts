import { PortholeError } from '@porthole/shared/errors';
import { createHandshake, type Handshake } from '../stream/handshake.ts';

const accepted = Buffer.from('OK');

/** The first line that termproxy expects: the ticket and its user. */
export function loginLine(user: string, ticket: string): Buffer {
  return Buffer.from(`${user}:${ticket}\n`);
}

/** Waits for termproxy's `OK`. What follows it is the terminal's first output, and stays as the leftover. */
export function createTermproxyHandshake(): Handshake {
  let done = false;
  return createHandshake({
    advance(queue) {
      if (done) return undefined;
      const answer = queue.read(accepted.length);
      if (!answer) return undefined;
      if (!answer.equals(accepted))
        throw new PortholeError('proxmox_invalid_response', { detail: 'termproxy did not answer OK' });
      done = true;
      return [];
    },
    done: () => done,
  });
}
