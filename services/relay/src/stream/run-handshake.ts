import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { Handshake } from './handshake.ts';
import type { Link } from './link.ts';

/** Takes what arrived behind the handshake; to be called when the next handler takes over the link. */
export type TakeLeftover = () => Buffer;

/**
 * Runs one side's handshake over a link. Rejects with the signal's reason or with what the peer did wrong. The link is
 * read on afterwards, so that its end is noticed.
 */
export function runHandshake(
  link: Link,
  handshake: Handshake,
  options: {
    readonly signal: AbortSignal;
    readonly onFirstByte?: () => void;
    /** Stops reading once the handshake is over, for a peer that may send on at once and without end. */
    readonly pauseAfter?: boolean;
    /** How many bytes are kept until the next handler takes over, and who is told of more. */
    readonly leftover: { readonly maxBytes: number; readonly onExceeded: () => void };
    /** The peer left, or broke its protocol, during the handshake or before the next handler took over. */
    readonly onEnded: (receivedAnything: boolean, error?: PortholeError) => void;
  },
): Promise<TakeLeftover> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    let started = false;
    let done = false;
    const stopListening = onAbort(signal, () => reject(signal.reason as Error));
    if (signal.aborted) return;
    const fail = (error: Error) => {
      stopListening();
      reject(error);
    };

    const leftover = createLeftover();
    const keep = (chunk: Buffer) => {
      if (leftover.keep(chunk) <= options.leftover.maxBytes) return;
      leftover.take();
      options.leftover.onExceeded();
    };
    link.handle({
      bytes(source, start, end) {
        // A copy: the memory is lent, and handshakes keep what is not complete.
        const chunk = Buffer.from(source.subarray(start, end));
        if (done) {
          keep(chunk);
          return;
        }
        if (!started) options.onFirstByte?.();
        started = true;
        try {
          const answer = handshake.push(chunk);
          for (const bytes of answer.send) link.send(bytes);
          done = answer.done;
        } catch (error) {
          fail(asPortholeError(error));
          return;
        }
        if (!done) return;
        if (options.pauseAfter) link.pause();
        keep(handshake.leftover());
        stopListening();
        resolve(leftover.take);
      },
      ended: (error) => options.onEnded(started, error),
    });
  });
}

/** A function of its own, so that `take` keeps nothing else of the handshake in memory. */
function createLeftover(): { keep(chunk: Buffer): number; readonly take: TakeLeftover } {
  let pieces: Buffer[] = [];
  let bytes = 0;
  return {
    keep(chunk) {
      pieces.push(chunk);
      return (bytes += chunk.length);
    },
    take() {
      const all = Buffer.concat(pieces);
      pieces = [];
      return all;
    },
  };
}
