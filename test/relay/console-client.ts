import { Duplex } from 'node:stream';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { WebSocket } from 'ws';
import { openRfb, type RfbClient } from '../fakes/guests/rfb-client.ts';

/** A browser's side of one console, without the browser. */
export interface ConsoleClient {
  readonly socket: WebSocket;
  /** Control messages so far, in order. */
  readonly messages: readonly ControlMessage[];
  /** Resolves with how the WebSocket ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Everything that the relay sent, text and binary, for looking for what must not be there. */
  received(): Buffer;
  /** The RFB handshake as a viewer does it: security type None, no password. */
  rfb(encodings?: number[]): Promise<RfbClient>;
  close(): void;
}

export interface ConnectOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly origin?: string | undefined;
  readonly protocols?: readonly string[];
}

/** Connects; the promise is there as soon as the upgrade was sent, whatever comes of it. */
export function connectConsole(options: ConnectOptions): ConsoleClient {
  const { url, token, origin, protocols = ['porthole.v1'] } = options;
  const offered = [...protocols, ...(token === undefined ? [] : [`porthole.grant.${token}`])];
  const socket = new WebSocket(url, offered, {
    ...(origin === undefined ? {} : { origin }),
    perMessageDeflate: false,
  });
  const messages: ControlMessage[] = [];
  const seen: Buffer[] = [];
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, { binary: true }, () => done()),
    final: (done) => {
      socket.close();
      done();
    },
  });
  stream.on('error', () => {});
  socket.on('message', (data: Buffer, isBinary) => {
    seen.push(data);
    if (!isBinary) messages.push(JSON.parse(data.toString()) as ControlMessage);
    else if (!stream.push(data)) socket.pause();
  });
  socket.on('error', () => {});
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      stream.destroy();
      resolve({ code, reason: reason.toString() });
    });
  });
  return {
    socket,
    messages,
    closed,
    received: () => Buffer.concat(seen),
    rfb: (encodings) => openRfb(stream, encodings ? { encodings } : {}),
    close: () => socket.close(),
  };
}
