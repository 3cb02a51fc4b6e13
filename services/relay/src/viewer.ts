import { closeCodes } from '@porthole/shared/close-codes';
import type { ControlMessage } from '@porthole/shared/control-messages';
import { errorKinds, type PortholeError } from '@porthole/shared/errors';
import { consoleProtocol } from '@porthole/shared/subprotocols';
import { every, type Clock } from '@porthole/shared/clock';
import type { WebSocket } from 'ws';
import type { Link } from './pump/link.ts';
import { createWsLink } from './pump/ws-link.ts';

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

/** Larger frames than this one are cut: smaller messages spread better over slow networks. */
const maxFrameBytes = 128 * 1024;
/** Keeps the connection busy for proxies that cut idle ones, and finds viewers that vanished without a word. */
const pingMs = 20_000;
/** A slow viewer's answer waits behind a full buffer of pictures, so one unanswered ping proves nothing. */
const silentMs = 50_000;
/** How long a viewer may take to answer our close; `ws` itself would wait for half a minute. */
const goodbyeMs = 5000;
/** What `ws` reports when no close frame came (RFC 6455 section 7.1.5). */
const lineBroke = 1006;

export function createViewer(socket: WebSocket, clock: Clock, onText: (text: string) => void): Viewer {
  let heardAt = clock.now();
  const heard = () => (heardAt = clock.now());
  const cancelPing = every(clock, pingMs, () => {
    if (clock.now() - heardAt > silentMs) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.ping();
  });
  socket.on('pong', heard);
  socket.on('message', heard);
  let lost = false;
  socket.on('close', (code) => {
    cancelPing();
    lost = code === lineBroke;
  });
  const speaks = socket.protocol === consoleProtocol;

  return {
    speaks,
    get lost() {
      return lost;
    },
    link: createWsLink(socket, { maxFrameBytes, onText }),
    tell(message) {
      if (speaks && socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    },
    close(error) {
      // A paused socket would never read the answer to our close.
      socket.resume();
      socket.close(closeCodes[error.close].code, errorKinds[error.code].text);
      const cancel = clock.after(goodbyeMs, () => socket.terminate());
      socket.once('close', cancel);
    },
    destroy: () => socket.terminate(),
  };
}
