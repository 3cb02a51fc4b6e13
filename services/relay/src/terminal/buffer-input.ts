import { PortholeError } from '@porthole/shared/errors';
import { LeftoverBuffer } from '../stream/leftover-buffer.ts';
import type { Link } from '../stream/link.ts';
import type { TakeLeftover } from '../stream/run-handshake.ts';

/** Most bytes that a viewer may send before its console is open, for example a terminal's size and a first command. */
export const maxViewerLeftoverBytes = 64 * 1024;

/**
 * Buffers what a viewer sends until its console is open. `onEnded` is called when the viewer leaves, breaks the
 * protocol or exceeds the limit.
 */
export function bufferInput(link: Link, onEnded: (error?: PortholeError) => void): TakeLeftover {
  const leftover = new LeftoverBuffer(maxViewerLeftoverBytes);
  link.setHandler({
    onBytes(source, start, end) {
      if (leftover.push(source, start, end)) return;
      const detail = 'too much input before the console is open';
      onEnded(new PortholeError('viewer_message_too_big', { detail }));
    },
    onEnded,
  });
  return leftover.take;
}
