import { closeCodes } from '@porthole/shared/close-codes';
import type { ControlMessage } from '@porthole/shared/control-messages';
import type { PortholeError } from '@porthole/shared/errors';
import { consoleProtocol } from '@porthole/shared/subprotocols';
import { every, type Cancel, type Clock } from '@porthole/shared/clock';
import { createBrowserLink, type BrowserSocket } from './pump/browser-link.ts';
import type { Gather } from './pump/gather.ts';
import type { Link } from './pump/link.ts';

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

/** Keeps the connection busy for proxies that cut idle ones, and finds viewers that vanished without a word. */
const pingMs = 20_000;
/** A slow viewer's answer waits behind a full buffer of pictures, so one unanswered ping proves nothing. */
const silentMs = 50_000;
/** How long a viewer may take to answer our close, or to take the answer to its own. */
const goodbyeMs = 5000;

export function createViewer(deps: {
  readonly browser: BrowserSocket;
  readonly gather: Gather;
  readonly clock: Clock;
  readonly onText: (text: string) => void;
  /** How long the viewer took to answer a ping, in seconds. */
  readonly onAnswered?: (seconds: number) => void;
}): Viewer {
  const { browser, gather, clock } = deps;
  let heardAt = clock.now();
  let askedAt: number | undefined;
  let cancelGoodbye: Cancel = () => {};
  const cancelPing = every(clock, pingMs, () => {
    if (clock.now() - heardAt > silentMs) browser.socket.destroy();
    else {
      askedAt = clock.now();
      link.ping();
    }
  });
  const link = createBrowserLink({
    browser,
    gather,
    onText: deps.onText,
    onHeard: () => (heardAt = clock.now()),
    onPong() {
      // Browsers may send pongs that nobody asked for (RFC 6455 section 5.5.3).
      if (askedAt !== undefined) deps.onAnswered?.((clock.now() - askedAt) / 1000);
      askedAt = undefined;
    },
    onClosed() {
      cancelPing();
      cancelGoodbye();
    },
  });

  function cutLater(): void {
    cancelGoodbye();
    if (!browser.socket.destroyed) cancelGoodbye = clock.after(goodbyeMs, () => browser.socket.destroy());
  }

  const speaks = browser.protocol === consoleProtocol;

  return {
    speaks,
    get lost() {
      return !link.heardGoodbye;
    },
    link,
    tell(message) {
      if (speaks) link.text(JSON.stringify(message));
    },
    close(error) {
      link.close(closeCodes[error.close].code, error.message);
      cutLater();
    },
    destroy() {
      link.destroy();
      cutLater();
    },
  };
}
