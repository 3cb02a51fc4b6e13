import { PortholeError } from '@porthole/shared/errors';
import type { Link } from '../stream/link.ts';
import type { TakeLeftover } from '../stream/run-handshake.ts';

/** Most bytes that a viewer may send before its console is open: a terminal's size, and a command typed early. */
export const maxEarlyBytes = 64 * 1024;

/** Keeps what a viewer sends until its console is open. `onEnded` is told when it leaves or sends too much. */
export function holdInput(link: Link, onEnded: (error?: PortholeError) => void): TakeLeftover {
  let early: Buffer[] = [];
  let size = 0;
  link.handle({
    bytes(source, start, end) {
      size += end - start;
      if (size > maxEarlyBytes) {
        early = [];
        onEnded(
          new PortholeError('viewer_message_too_big', {
            detail: 'too much input before the terminal was open',
          }),
        );
        return;
      }
      early.push(Buffer.from(source.subarray(start, end)));
    },
    ended: onEnded,
  });
  return () => {
    const all = Buffer.concat(early);
    early = [];
    return all;
  };
}
