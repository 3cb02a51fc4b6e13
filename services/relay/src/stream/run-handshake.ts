import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { Handshake } from './handshake.ts';
import { LeftoverBuffer } from './leftover-buffer.ts';
import type { Link } from './link.ts';

/**
 * Takes the leftover: the bytes that arrived behind the handshake. Call it when the next handler takes over the link.
 */
export type TakeLeftover = () => Buffer;

/**
 * Runs one side's handshake over a link. Rejects with the signal's reason, or with the error that the peer caused.
 * Reading continues after the handshake, so that the end of the connection is noticed.
 */
export function runHandshake(
  link: Link,
  handshake: Handshake,
  options: {
    readonly signal: AbortSignal;
    readonly onFirstByte?: () => void;
    /** Stops reading after the handshake, for a peer that may send without end at once. */
    readonly pauseAfter?: boolean;
    /** Limits the leftover. When it is exceeded, the leftover is dropped and `onExceeded` is called. */
    readonly leftover: { readonly maxBytes: number; readonly onExceeded: () => void };
    /** The peer left or broke its protocol, during the handshake or before the next handler took over. */
    readonly onEnded: (receivedAnything: boolean, error?: PortholeError) => void;
  },
): Promise<TakeLeftover> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    let receivedAnything = false;
    let state: 'running' | 'done' | 'failed' = 'running';
    const fail = (error: Error) => {
      state = 'failed';
      stopListening();
      reject(error);
    };
    let stopListening = () => {};
    stopListening = onAbort(signal, () => fail(signal.reason as Error));
    if (signal.aborted) return;

    const leftover = new LeftoverBuffer(options.leftover.maxBytes);
    const keep = (source: Buffer, start: number, end: number) => {
      if (!leftover.push(source, start, end)) options.leftover.onExceeded();
    };
    link.setHandler({
      onBytes(source, start, end) {
        if (state === 'failed') return;
        if (state === 'done') {
          keep(source, start, end);
          return;
        }
        if (!receivedAnything) options.onFirstByte?.();
        receivedAnything = true;
        try {
          // A copy, because the memory is reused and the handshake keeps incomplete fields.
          const answer = handshake.push(Buffer.from(source.subarray(start, end)));
          for (const bytes of answer.send) link.send(bytes);
          if (!answer.done) return;
        } catch (error) {
          fail(asPortholeError(error));
          return;
        }
        state = 'done';
        stopListening();
        if (options.pauseAfter) link.pause();
        const bytes = handshake.leftover();
        keep(bytes, 0, bytes.length);
        resolve(leftover.take);
      },
      onEnded: (error) => options.onEnded(receivedAnything, error),
    });
  });
}
