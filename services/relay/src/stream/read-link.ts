import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import type { ServerMessages } from '../rfb/server-messages.ts';
import type { Link, LinkHandler } from './link.ts';
import type { TakeRest } from './run-handshake.ts';

/** A machine's link and what arrived behind its handshake. */
export interface MachineSide {
  readonly link: Link;
  readonly takeRest: TakeRest;
}

/** The machine's side with its messages read: only what may pass arrives, and a fault in them ends the link. */
export function readMessages({ link, takeRest }: MachineSide, messages: ServerMessages): MachineSide {
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
    takeRest() {
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
