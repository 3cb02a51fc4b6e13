import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import type { Link, LinkHandler } from './link.ts';
import type { TakeLeftover } from './run-handshake.ts';

/** Reads a machine's messages and passes on what the viewer may see. Throws PortholeError at a malformed one. */
export interface MessageReader {
  read(source: Buffer, start: number, end: number, pass: LinkHandler['onBytes']): void;
}

/** A machine's link and what arrived behind its handshake. */
export interface UpstreamSide {
  readonly link: Link;
  readonly takeLeftover: TakeLeftover;
}

/** The machine's side with its messages read: only what may pass arrives, and a fault in them ends the link. */
export function filterMessages(
  { link, takeLeftover: takeRest }: UpstreamSide,
  messages: MessageReader,
): UpstreamSide {
  let broken: PortholeError | undefined;

  function read(source: Buffer, start: number, end: number, pass: LinkHandler['onBytes']): void {
    if (broken) return;
    try {
      messages.read(source, start, end, pass);
    } catch (error) {
      broken = asPortholeError(error);
    }
  }

  return {
    link: interceptLink(link, (handler) => {
      let over = false;
      const ended = (error?: PortholeError) => {
        if (over) return;
        over = true;
        handler.onEnded(error);
      };
      link.setHandler({
        onBytes(source, start, end) {
          read(source, start, end, (...piece) => handler.onBytes(...piece));
          if (broken) ended(broken);
        },
        onDrained: () => handler.onDrained?.(),
        onEnded: ended,
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
export function interceptLink(link: Link, handle: Link['setHandler']): Link {
  return new HandledLink(link, handle);
}

class HandledLink implements Link {
  readonly setHandler: Link['setHandler'];
  readonly #link: Link;

  constructor(link: Link, handle: Link['setHandler']) {
    this.#link = link;
    this.setHandler = handle;
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
