import { PortholeError } from '@porthole/shared/errors';
import { createHeldBytes } from '../stream/held-bytes.ts';
import type { Link } from '../stream/link.ts';
import type { TakeLeftover } from '../stream/run-handshake.ts';

/** Most bytes that a viewer may send before its console is open: a terminal's size, and a command typed early. */
export const maxEarlyBytes = 64 * 1024;

/** Keeps what a viewer sends until its console is open. `onEnded` is told when it leaves or sends too much. */
export function holdInput(link: Link, onEnded: (error?: PortholeError) => void): TakeLeftover {
  const early = createHeldBytes();
  link.handle({
    bytes(source, start, end) {
      if (early.keep(source, start, end) <= maxEarlyBytes) return;
      early.take();
      onEnded(
        new PortholeError('viewer_message_too_big', {
          detail: 'too much input before the terminal was open',
        }),
      );
    },
    ended: onEnded,
  });
  return early.take;
}
