import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { abandonedCode, closeCodes } from '@porthole/shared/protocol/close-codes';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { PortholeError } from '@porthole/shared/errors';
import { consoleProtocol } from '@porthole/shared/protocol/subprotocols';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { FrameBatcher, FrameSink } from '../stream/frame-batcher.ts';
import type { Link, LinkHandler } from '../stream/link.ts';
import {
  handleViewerSocket,
  type ViewerSocket,
  type ViewerSocketHandler,
  type WebSocketError,
} from './viewer-socket.ts';

/** A connected browser: its bytes, the control messages to it, and how the connection ends. */
export interface Viewer {
  readonly link: Link;
  /** Whether it uses the subprotocol porthole.v1, which has control messages. */
  readonly supportsControlMessages: boolean;
  /** Whether the connection broke: it ended without a close frame, or the page gave it up to resume on another one. */
  readonly lost: boolean;
  /** When the latest ping that the viewer answered was sent, in milliseconds since the epoch. */
  readonly lastAnsweredPingAt: number;
  /** Sends a control message, if the viewer supports them. */
  sendControl(message: ControlMessage): void;
  /** Closes with the error's close code and its text, which is safe to show. */
  close(error: PortholeError): void;
  /** Ends the connection without a close frame. */
  destroy(): void;
}

/** A viewer that gets text frames of another protocol than that of consoles. */
export interface TextViewer extends Viewer {
  /** Sends a text frame. */
  sendText(text: string): void;
}

/**
 * How long a viewer may send nothing, seen at the pings, so a dead connection is noticed after 40 to 60 s. A slow
 * viewer's pong waits behind buffered pictures, so one unanswered ping proves nothing.
 */
const maxSilentMs = 35_000;
/** Pings whose answer is still recognized: those of the last minute. */
const maxUnanswered = 4;
/** Most bytes that a viewer may send after the relay's close frame: those in transit, and its own close frame. */
const maxBytesAfterClose = 64 * 1024;
/** 1006 stands for a connection that ended without a close frame (RFC 6455 section 7.1.5). */
const lostCodes: ReadonlySet<number> = new Set([1006, abandonedCode]);

export function createViewer(deps: {
  readonly socket: ViewerSocket;
  /** The TCP connection of the socket. Finished frames are written to it directly, because `ws` buffers none. */
  readonly connection: Socket;
  readonly batcher: FrameBatcher;
  readonly clock: Clock;
  readonly onText: (text: string) => void;
  /** Ping interval in milliseconds. Pings keep the connection busy for proxies, and detect dead connections. */
  readonly pingMs: number;
  /** Round-trip time of a ping, in seconds. */
  readonly onPong?: (seconds: number) => void;
}): TextViewer {
  return new ConnectedViewer(deps);
}

/** A class because a relay has thousands: one object each, and few closures. */
class ConnectedViewer implements TextViewer, Link, FrameSink, ViewerSocketHandler {
  readonly supportsControlMessages: boolean;
  readonly #socket: ViewerSocket;
  readonly #connection: Socket;
  readonly #batcher: FrameBatcher;
  readonly #clock: Clock;
  readonly #onText: (text: string) => void;
  readonly #reportPong: ((seconds: number) => void) | undefined;
  readonly #cancelPing: Cancel;
  #handler: LinkHandler | undefined;
  #ended: { readonly error?: PortholeError } | undefined;
  #closeCode: number | undefined;
  /** When the unanswered pings were sent, the latest ones. */
  #unanswered: readonly number[] = [];
  #bytesRead: number;
  #lastReadAt: number;
  lastAnsweredPingAt = 0;
  framesSent = 0;

  constructor(deps: Parameters<typeof createViewer>[0]) {
    this.#socket = deps.socket;
    this.#connection = deps.connection;
    this.#batcher = deps.batcher;
    this.#clock = deps.clock;
    this.#onText = deps.onText;
    this.#reportPong = deps.onPong;
    this.#bytesRead = deps.connection.bytesRead;
    this.#lastReadAt = deps.clock.now();
    this.supportsControlMessages = deps.socket.protocol === consoleProtocol;
    handleViewerSocket(deps.socket, this);
    // Until there is a handler, the kernel buffers what the viewer sends, up to its own limit.
    deps.socket.pause();
    deps.connection.on('drain', () => this.#handler?.onDrained?.());
    // Before the listener of `ws`, which changes the state: without a close frame, the viewer's FIN ends the session.
    deps.connection.prependListener('end', () => {
      if (this.#isOpen) this.#end();
    });
    this.#cancelPing = every(deps.clock, deps.pingMs, () => this.#checkConnection());
  }

  get link(): Link {
    return this;
  }

  get lost(): boolean {
    return this.#closeCode === undefined || lostCodes.has(this.#closeCode);
  }

  get buffered(): number {
    return this.#connection.writableLength + this.#batcher.pendingBytes(this);
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    if (end > start) this.#batcher.add(this, source, start, end);
    return this.#connection.writableLength === 0;
  }

  /** Takes a finished frame from the batcher. */
  write(frame: Buffer): boolean {
    if (!this.#isOpen) return true;
    this.framesSent++;
    const connection = this.#connection;
    // A viewer that is behind gets a copy, so that a few bytes do not retain a slab that all viewers share.
    if (connection.writableLength > 0) {
      connection.write(Buffer.from(frame));
      return true;
    }
    connection.write(frame);
    return connection.writableLength === 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  setHandler(next: LinkHandler): void {
    const first = this.#handler === undefined;
    this.#handler = next;
    if (this.#ended) next.onEnded(this.#ended.error);
    else if (first) this.#socket.resume();
  }

  sendControl(message: ControlMessage): void {
    if (this.supportsControlMessages) this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    if (!this.#isOpen) return;
    this.#batcher.flush(this);
    this.#socket.send(text);
  }

  close(error: PortholeError): void {
    if (this.#isOpen) this.#batcher.flush(this);
    this.#socket.close(closeCodes[error.close].code, closeReason(error.message));
    // After a protocol error, `ws` discards what arrives, so that the viewer can still read why it was closed.
    if (!this.#ended?.error) this.#limitInput();
    this.#ended ??= {};
    this.#socket.resume();
  }

  destroy(): void {
    this.#ended ??= {};
    this.#socket.terminate();
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return;
    if (isBinary) this.#handler?.onBytes(data, 0, data.length);
    else this.#onText(data.toString('utf8'));
  }

  onPong(payload: Buffer): void {
    // On a slow connection, later pings may be on their way. Browsers may also send unsolicited pongs (RFC 6455 section
    // 5.5.3).
    const sentAt = Number(payload.toString('latin1'));
    if (!this.#unanswered.includes(sentAt)) return;
    this.#unanswered = this.#unanswered.filter((time) => time > sentAt);
    this.lastAnsweredPingAt = sentAt;
    this.#reportPong?.((this.#clock.now() - sentAt) / 1000);
  }

  onProtocolError({ code, message }: WebSocketError): void {
    const tooBig = code === undefined || exceededLimits.has(code);
    this.#end(
      new PortholeError(tooBig ? 'viewer_message_too_big' : 'viewer_protocol', {
        detail: `the viewer's WebSocket: ${message}`,
      }),
    );
  }

  onClosed(code: number): void {
    this.#closeCode = code;
    this.#cancelPing();
    this.#end();
  }

  /** Until the viewer's close frame arrives, `ws` would keep a message of up to `maxViewerMessageBytes`. */
  #limitInput(): void {
    const connection = this.#connection;
    const limit = connection.bytesRead + maxBytesAfterClose;
    connection.prependListener('data', () => {
      if (connection.bytesRead > limit) this.#socket.terminate();
    });
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #end(error?: PortholeError): void {
    if (this.#ended) return;
    this.#ended = error ? { error } : {};
    this.#handler?.onEnded(error);
  }

  #checkConnection(): void {
    const now = this.#clock.now();
    const { bytesRead } = this.#connection;
    if (bytesRead !== this.#bytesRead) this.#lastReadAt = now;
    this.#bytesRead = bytesRead;
    if (now - this.#lastReadAt > maxSilentMs) {
      this.#socket.terminate();
      return;
    }
    if (!this.#isOpen) return;
    this.#unanswered = [...this.#unanswered, now].slice(-maxUnanswered);
    this.#batcher.flush(this);
    this.#socket.ping(String(now));
  }
}

const exceededLimits: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
]);

/** A close frame holds 123 bytes of reason (RFC 6455 section 5.5); the text is cut at a character. */
function closeReason(text: string): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, 123), { stream: true });
}
