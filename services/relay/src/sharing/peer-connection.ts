import type { Socket } from 'node:net';
import { PortholeError } from '@porthole/shared/errors';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { WebSocket } from 'ws';
import { LeftoverBuffer } from '../stream/leftover-buffer.ts';
import type { Keyframe } from '../stream/keyframe.ts';
import type { LinkHandler } from '../stream/link.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import { closeFrameOf, errorOfCloseFrame, type PeerMessage } from './peer-messages.ts';

/** Longest frame between relays. Bytes of a console are split into frames of this length. */
const maxFrameBytes = 64 * 1024;
/** Interval of the pings that both sides send. */
export const peerPingMs = 1000;
/** A peer that sends nothing, not even a ping, for so many intervals is dead: it is noticed within 5 s. */
const maxSilentPings = 4;
/** Most payload that is buffered for the first handler. */
const maxLeftoverBytes = 128 * 1024;

/** Limits of the WebSockets on both sides. */
export const peerSocketOptions = {
  maxPayload: maxFrameBytes,
  maxFragments: 16,
  maxBufferedChunks: 1024,
  maxPendingAutoPongs: 60,
  perMessageDeflate: false,
  /** How long the peer may take to answer a close frame, in milliseconds. */
  closeTimeout: 2000,
} as const;

/** Payload of the pings that `ping` sends, which tells their pongs from those of the others. */
const measured = Buffer.from('rtt');

interface ArrivingKeyframe {
  readonly width: number;
  readonly height: number;
  readonly pieces: Buffer[];
  missing: number;
}

export interface PeerConnectionDeps {
  readonly socket: WebSocket;
  /** The TLS connection of the WebSocket. */
  readonly connection: Socket;
  readonly clock: Clock;
  readonly onText?: (text: string) => void;
  /** Called once when the connection ends, whichever side ended it. The handler hears only of the peer's end. */
  readonly onEnded: (error: PortholeError | undefined) => void;
}

/**
 * One end of a connection between relays, which carries the bytes of one viewer. It reads from the start, to notice its
 * end; the few bytes that come before the first handler are buffered. Ends with the error of the peer's close
 * frame, without an error after a plain one, and with `screen_moved` if the connection was lost.
 */
export class PeerConnection implements MachineLink {
  readonly #socket: WebSocket;
  readonly #cancelPings: Cancel;
  readonly #onEnded: PeerConnectionDeps['onEnded'];
  #handler: LinkHandler | undefined;
  /** Payload that arrived before the first handler. */
  #leftover: LeftoverBuffer | undefined;
  #ended: { readonly error?: PortholeError | undefined } | undefined;
  #onPong: (() => void) | undefined;
  #onKeyframe: ((keyframe: Keyframe) => void) | undefined;
  #keyframe: ArrivingKeyframe | undefined;
  #paused = false;
  #silentPings = 0;
  /** Whether the peer has got something in this interval, and so needs no ping. */
  #sent = false;
  framesSent = 0;

  constructor({ socket, connection, clock, onText, onEnded }: PeerConnectionDeps) {
    this.#socket = socket;
    this.#onEnded = onEnded;
    const seen = () => (this.#silentPings = 0);
    socket.on('ping', seen);
    socket.on('pong', (payload) => {
      seen();
      if (!measured.equals(payload)) return;
      const onPong = this.#onPong;
      this.#onPong = undefined;
      onPong?.();
    });
    socket.on('message', (data, isBinary) => {
      seen();
      if (this.#ended) return;
      // `binaryType` is left at `nodebuffer`, so `ws` delivers each message as one Buffer.
      const bytes = data as Buffer;
      if (isBinary) this.#receive(bytes);
      else onText?.(bytes.toString('utf8'));
    });
    // Errors of the network are followed by `close`; after errors of the protocol, nothing more is expected.
    socket.on('error', (cause) => {
      this.#end(lost('the connection broke', cause));
      socket.terminate();
    });
    socket.on('close', (code, reason) => {
      this.#cancelPings();
      const close = errorOfCloseFrame(code, reason.toString('utf8'));
      this.#end(close ? close.error : lost(`closed with ${code}`));
    });
    connection.on('drain', () => this.#handler?.onDrained?.());
    // Before the listener of `ws`, which changes the state: without a close frame, the peer's FIN is a loss.
    connection.prependListener('end', () => {
      if (socket.readyState === WebSocket.OPEN) this.#end(lost('the peer closed the connection'));
    });
    this.#cancelPings = every(clock, peerPingMs, () => this.#checkPeer());
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return true;
    this.#sent = true;
    for (let at = start; at < end; at += maxFrameBytes) {
      this.framesSent++;
      // A copy, because the network may take it later than the caller reuses its memory.
      socket.send(Buffer.from(source.subarray(at, Math.min(end, at + maxFrameBytes))));
    }
    return socket.bufferedAmount === 0;
  }

  sendMessage(message: PeerMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  requestKeyframe(onKeyframe: (keyframe: Keyframe) => void): void {
    this.#onKeyframe = onKeyframe;
    this.sendMessage({ type: 'request_keyframe' });
  }

  sendKeyframe({ width, height, bytes }: Keyframe): void {
    this.sendMessage({ type: 'keyframe', width, height, bytes: bytes.length });
    this.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  /** The peer announced a keyframe, which the next bytes are. */
  onKeyframe(announced: Extract<PeerMessage, { readonly type: 'keyframe' }>): void {
    this.#keyframe = { ...announced, missing: announced.bytes, pieces: [] };
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#silentPings = 0;
    this.#socket.resume();
  }

  setHandler(handler: LinkHandler): void {
    this.#handler = handler;
    const leftover = this.#leftover?.take();
    this.#leftover = undefined;
    if (leftover) handler.onBytes(leftover, 0, leftover.length);
    if (this.#ended) handler.onEnded(this.#ended.error);
  }

  /** A ping to the other relay. */
  ping(onPong: () => void): void {
    this.#onPong = onPong;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping(measured);
  }

  /** Sends a close frame with the error's code. The peer's answer, or the lack of one, ends the connection. */
  close(error: PortholeError | undefined): void {
    this.#finish(error);
    this.#socket.close(...closeFrameOf(error));
    // What the peer still sends is dropped, and its close frame is read.
    this.#socket.resume();
  }

  destroy(): void {
    this.#finish(undefined);
    this.#cancelPings();
    this.#socket.terminate();
  }

  #receive(bytes: Buffer): void {
    if (this.#keyframe) {
      this.#receiveKeyframe(this.#keyframe, bytes);
      return;
    }
    if (this.#handler) {
      this.#handler.onBytes(bytes, 0, bytes.length);
      return;
    }
    this.#leftover ??= new LeftoverBuffer(maxLeftoverBytes);
    if (this.#leftover.push(bytes)) return;
    this.#end(lost(`the peer sent more than ${maxLeftoverBytes} bytes too early`));
    this.#socket.terminate();
  }

  /** Frames of a keyframe have nothing else. */
  #receiveKeyframe(arriving: ArrivingKeyframe, bytes: Buffer): void {
    arriving.pieces.push(bytes);
    arriving.missing -= bytes.length;
    if (arriving.missing > 0) return;
    this.#keyframe = undefined;
    const { width, height, pieces } = arriving;
    const onKeyframe = this.#onKeyframe;
    this.#onKeyframe = undefined;
    onKeyframe?.({ width, height, bytes: Buffer.concat(pieces) });
  }

  #checkPeer(): void {
    // While this side does not read, it cannot tell. Intervals are counted, not milliseconds, so that a pause of this
    // process does not look like one of the peer.
    if (!this.#paused && this.#silentPings++ >= maxSilentPings) {
      this.#end(lost(`the peer sent nothing for ${(maxSilentPings * peerPingMs) / 1000} s`));
      this.destroy();
      return;
    }
    if (!this.#sent && this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
    this.#sent = false;
  }

  #end(error: PortholeError | undefined): void {
    if (this.#finish(error)) this.#handler?.onEnded(error);
  }

  #finish(error: PortholeError | undefined): boolean {
    if (this.#ended) return false;
    this.#ended = { error };
    this.#onEnded(error);
    return true;
  }
}

const lost = (detail: string, cause?: unknown) =>
  new PortholeError('screen_moved', { detail: `connection between relays: ${detail}`, cause });
