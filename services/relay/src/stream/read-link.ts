import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import type { Link, LinkHandler } from './link.ts';
import type { TakeLeftover } from './run-handshake.ts';

/** Reads a machine's messages and passes on what the viewer may see. Throws PortholeError at a malformed one. */
export interface MessageReader {
  read(source: Buffer, start: number, end: number, pass: LinkHandler['bytes']): void;
}

/** A machine's link and what arrived behind its handshake. */
export interface UpstreamSide {
  readonly link: Link;
  readonly takeLeftover: TakeLeftover;
}

/** The machine's side with its messages read: only what may pass arrives, and a fault in them ends the link. */
export function readMessages(
  { link, takeLeftover: takeRest }: UpstreamSide,
  messages: MessageReader,
): UpstreamSide {
  let broken: PortholeError | undefined;

  function read(source: Buffer, start: number, end: number, pass: LinkHandler['bytes']): void {
    if (broken) return;
    try {
      messages.read(source, start, end, pass);
    } catch (error) {
      broken = asPortholeError(error);
    }
  }

  return {
    link: withHandle(link, (handler) => {
      let over = false;
      const ended = (error?: PortholeError) => {
        if (over) return;
        over = true;
        handler.ended(error);
      };
      link.handle({
        bytes(source, start, end) {
          read(source, start, end, (...piece) => handler.bytes(...piece));
          if (broken) ended(broken);
        },
        drained: () => handler.drained?.(),
        ended,
      });
      if (broken) ended(broken);
    }),
    takeLeftover() {
      const rest = takeRest();
      const passed: Buffer[] = [];
      read(rest, 0, rest.length, (source, start, end) => passed.push(source.subarray(start, end)));
      return Buffer.concat(passed);
    },
  };
}

/** The same link, but for who gets what arrives. */
export function withHandle(link: Link, handle: Link['handle']): Link {
  return new HandledLink(link, handle);
}

class HandledLink implements Link {
  readonly handle: Link['handle'];
  readonly #link: Link;

  constructor(link: Link, handle: Link['handle']) {
    this.#link = link;
    this.handle = handle;
  }

  get buffered(): number {
    return this.#link.buffered;
  }

  get framesSent(): number {
    return this.#link.framesSent;
  }

  send(source: Buffer, start?: number, end?: number): boolean {
    return this.#link.send(source, start, end);
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  destroy(): void {
    this.#link.destroy();
  }
}
