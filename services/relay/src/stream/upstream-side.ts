import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import { interceptLink } from './intercept-link.ts';
import type { Link, LinkHandler } from './link.ts';
import type { TakeLeftover } from './run-handshake.ts';

/** A machine's link, and what arrived behind its handshake. */
export interface UpstreamSide {
  readonly link: Link;
  readonly takeLeftover: TakeLeftover;
}

/** Takes bytes from `start` to `end` of a source whose memory is reused after the call. */
export type ForwardBytes = LinkHandler['onBytes'];

/** Reads the messages of a machine. */
export interface MessageReader {
  /**
   * Reads on and forwards what the viewer may receive, in order. Throws PortholeError at a message that it can't parse;
   * what came before was forwarded.
   */
  read(source: Buffer, start: number, end: number, forward: ForwardBytes): void;
}

/** Reads the machine's messages: only what the reader forwards arrives, and an error of the reader ends the link. */
export function filterMessages({ link, takeLeftover }: UpstreamSide, reader: MessageReader): UpstreamSide {
  let failure: PortholeError | undefined;

  function read(source: Buffer, start: number, end: number, forward: ForwardBytes): void {
    if (failure) return;
    try {
      reader.read(source, start, end, forward);
    } catch (error) {
      failure = asPortholeError(error);
    }
  }

  return {
    link: interceptLink(link, (handler) => {
      let ended = false;
      const onEnded = (error?: PortholeError) => {
        if (ended) return;
        ended = true;
        handler.onEnded(error);
      };
      const forward: ForwardBytes = (source, start, end) => handler.onBytes(source, start, end);
      link.setHandler({
        onBytes(source, start, end) {
          read(source, start, end, forward);
          if (failure) onEnded(failure);
        },
        onDrained: () => handler.onDrained?.(),
        onEnded,
      });
      if (failure) onEnded(failure);
    }),
    takeLeftover() {
      const leftover = takeLeftover();
      const forwarded: Buffer[] = [];
      read(leftover, 0, leftover.length, (source, start, end) => forwarded.push(source.subarray(start, end)));
      return Buffer.concat(forwarded);
    },
  };
}
