import { closeCodes } from '@porthole/shared/protocol/close-codes';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { PortholeError } from '@porthole/shared/errors';
import { consoleProtocol } from '@porthole/shared/protocol/subprotocols';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { Socket } from 'node:net';
import {
  createBrowserLink,
  type BrowserLink,
  type BrowserLinkOwner,
  type BrowserSocket,
} from './browser-link.ts';
import type { Gather } from '../stream/gather.ts';
import type { Link } from '../stream/link.ts';

/** A browser that is connected: its bytes, what we tell it, and how it is sent away. */
export interface Viewer {
  readonly link: Link;
  /** Whether it speaks porthole.v1: then it can be told things, and may say some. */
  readonly speaks: boolean;
  /** It went without a word: a network or a proxy cut the line, nobody closed it. */
  readonly lost: boolean;
  /** Sends a control message, if the viewer speaks porthole.v1. */
  tell(message: ControlMessage): void;
  /** Closes with the error's typed code and safe text. */
  close(error: PortholeError): void;
  destroy(): void;
}

/** A slow viewer's answer waits behind a full buffer of pictures, so one unanswered ping proves nothing. */
const silentMs = 50_000;
/** How long a viewer may take to answer our close, or to take the answer to its own. */
const goodbyeMs = 5000;

export function createViewer(deps: {
  readonly browser: BrowserSocket;
  readonly gather: Gather;
  readonly clock: Clock;
  readonly onText: (text: string) => void;
  /** Keeps the connection busy for proxies that cut idle ones, and finds viewers that vanished without a word. */
  readonly pingMs: number;
  /** How long the viewer took to answer a ping, in seconds. */
  readonly onAnswered?: (seconds: number) => void;
}): Viewer {
  return new BrowserViewer(deps);
}

/** A class, as there are thousands: one object each, and no function of its own. */
class BrowserViewer implements Viewer, BrowserLinkOwner {
  readonly link: BrowserLink;
  readonly speaks: boolean;
  readonly text: (text: string) => void;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #cancelPing: Cancel;
  #cancelGoodbye: Cancel | undefined;
  #heardAt: number;
  readonly #onAnswered: ((seconds: number) => void) | undefined;
  #askedAt: number | undefined;

  constructor({ browser, gather, clock, onText, pingMs, onAnswered }: Parameters<typeof createViewer>[0]) {
    this.#onAnswered = onAnswered;
    this.text = onText;
    this.speaks = browser.protocol === consoleProtocol;
    this.#socket = browser.socket;
    this.#clock = clock;
    this.#heardAt = clock.now();
    this.link = createBrowserLink({ browser, gather, owner: this });
    this.#cancelPing = every(clock, pingMs, () => this.#look());
  }

  get lost(): boolean {
    return !this.link.heardGoodbye;
  }

  tell(message: ControlMessage): void {
    if (this.speaks) this.link.say(JSON.stringify(message));
  }

  close(error: PortholeError): void {
    this.link.leave(closeCodes[error.close].code, error.message);
    this.#cutLater();
  }

  destroy(): void {
    this.link.destroy();
    this.#cutLater();
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  answered(): void {
    // Browsers may send pongs that nobody asked for (RFC 6455 section 5.5.3).
    if (this.#askedAt !== undefined) this.#onAnswered?.((this.#clock.now() - this.#askedAt) / 1000);
    this.#askedAt = undefined;
  }

  closed(): void {
    this.#cancelPing();
    this.#cancelGoodbye?.();
  }

  #look(): void {
    if (this.#clock.now() - this.#heardAt > silentMs) this.#socket.destroy();
    else {
      this.#askedAt = this.#clock.now();
      this.link.poke();
    }
  }

  #cutLater(): void {
    this.#cancelGoodbye?.();
    if (!this.#socket.destroyed)
      this.#cancelGoodbye = this.#clock.after(goodbyeMs, () => this.#socket.destroy());
  }
}
