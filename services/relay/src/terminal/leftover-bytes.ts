import { PortholeError } from '@porthole/shared/errors';
import type { Link } from '../stream/link.ts';
import type { TakeRest } from '../stream/run-handshake.ts';

/** A page says how large its terminal is before that is open, and somebody in a hurry may type a command. */
export const maxEarlyBytes = 64 * 1024;

/** Keeps what a viewer sends until its console is open. `ended` is told when it leaves or sends too much. */
export function holdEarly(link: Link, ended: (error?: PortholeError) => void): TakeRest {
  let early: Buffer[] = [];
  let size = 0;
  link.handle({
    bytes(source, start, end) {
      size += end - start;
      if (size > maxEarlyBytes) {
        early = [];
        ended(
          new PortholeError('viewer_message_too_big', { detail: 'too much before the terminal was open' }),
        );
        return;
      }
      early.push(Buffer.from(source.subarray(start, end)));
    },
    ended,
  });
  return () => {
    const all = Buffer.concat(early);
    early = [];
    return all;
  };
}
