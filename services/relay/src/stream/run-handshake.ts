import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import type { Handshake } from '../rfb/handshake.ts';
import type { Link } from './link.ts';

/** Takes what arrived behind the handshake; to be called when the next handler takes over the link. */
export type TakeRest = () => Buffer;

/** Runs one side's handshake over a link. The link is read on afterwards, so that its end is noticed. */
export function runHandshake(
  link: Link,
  handshake: Handshake,
  on: {
    readonly signal: AbortSignal;
    readonly firstByte?: () => void;
    /** Reads no more once the handshake is over: for a peer that may talk on at once and without end. */
    readonly pauseAfter?: boolean;
    /** Nobody has anything to say between the handshakes and ServerInit: how much is kept, and who hears of more. */
    readonly rest: { readonly maxBytes: number; readonly exceeded: () => void };
    /** The peer left, or broke its protocol, in the middle of the handshake or between it and the next handler. */
    readonly ended: (sentAnything: boolean, error?: PortholeError) => void;
  },
): Promise<TakeRest> {
  return new Promise((resolve, reject) => {
    let started = false;
    let done = false;
    const stop = (error: Error) => {
      on.signal.removeEventListener('abort', onAbort);
      reject(error);
    };
    const onAbort = () => stop(on.signal.reason as Error);
    if (on.signal.aborted) {
      onAbort();
      return;
    }
    on.signal.addEventListener('abort', onAbort, { once: true });

    const rest = createRest();
    const keep = (chunk: Buffer) => {
      if (rest.keep(chunk) <= on.rest.maxBytes) return;
      rest.take();
      on.rest.exceeded();
    };
    link.handle({
      bytes(source, start, end) {
        // A copy: the memory is lent, and handshakes keep what is not complete.
        const chunk = Buffer.from(source.subarray(start, end));
        if (done) {
          keep(chunk);
          return;
        }
        if (!started) on.firstByte?.();
        started = true;
        try {
          const answer = handshake.push(chunk);
          for (const bytes of answer.send) link.send(bytes);
          done = answer.done;
        } catch (error) {
          stop(asPortholeError(error));
          return;
        }
        if (!done) return;
        if (on.pauseAfter) link.pause();
        keep(handshake.rest());
        on.signal.removeEventListener('abort', onAbort);
        resolve(rest.take);
      },
      ended: (error) => on.ended(started, error),
    });
  });
}

/** Apart from the handshake, of which whoever holds `take` would else hold everything. */
function createRest(): { keep(chunk: Buffer): number; readonly take: TakeRest } {
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
