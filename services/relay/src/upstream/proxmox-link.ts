import type { TLSSocket } from 'node:tls';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { LeftoverBuffer } from '../stream/leftover-buffer.ts';
import type { Link, LinkHandler } from '../stream/link.ts';
import { encodeClientFrame, opcodes } from '../stream/websocket-frame.ts';
import {
  createProxmoxFrameReader,
  maxProxmoxPayloadBytes,
  type ProxmoxFrameHandler,
} from './proxmox-frame-reader.ts';

/** A machine's side of a console, which can be pinged. */
export interface MachineLink extends Link {
  /** Sends a ping. The next pong calls `onPong`, once. */
  ping(onPong: () => void): void;
}

/** A link to a console at Proxmox. The reader of its socket feeds it. */
export interface ProxmoxLink extends MachineLink {
  /** Takes `length` bytes that were read from the connection. Their memory is reused after the call. */
  onRead(source: Buffer, length: number): void;
}

/** Most payload that is buffered for the first handler. A VNC server sends 12 bytes unasked; one read may have more. */
const maxLeftoverBytes = 128 * 1024;

export function createProxmoxLink(socket: TLSSocket): ProxmoxLink {
  return new ProxmoxConnection(socket);
}

/** A class because a relay has thousands. */
class ProxmoxConnection implements ProxmoxLink, ProxmoxFrameHandler {
  readonly #socket: TLSSocket;
  readonly #frames = createProxmoxFrameReader(this);
  #handler: LinkHandler | undefined;
  /** Payload that arrived before the first handler. */
  #leftover: LeftoverBuffer | undefined;
  #onPong: (() => void) | undefined;
  #ended: { readonly error?: PortholeError } | undefined;
  framesSent = 0;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.pause();
    const end = () => this.#end();
    socket.on('error', (cause) =>
      this.#end(new PortholeError('console_lost', { detail: 'the connection broke', cause })),
    );
    socket.on('end', end);
    socket.on('close', end);
    socket.on('drain', () => this.#handler?.onDrained?.());
    if (socket.destroyed || socket.readableEnded) this.#end();
  }

  onRead(source: Buffer, length: number): void {
    if (this.#ended) return;
    try {
      this.#frames.read(source, length);
    } catch (error) {
      this.#end(asPortholeError(error));
    }
  }

  onPayload(source: Buffer, start: number, end: number): void {
    if (this.#handler) this.#handler.onBytes(source, start, end);
    else this.#buffer(source, start, end);
  }

  onPong(): void {
    const onPong = this.#onPong;
    this.#onPong = undefined;
    onPong?.();
  }

  onClosed(): void {
    this.#end();
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    for (let at = start; at < end; at += maxProxmoxPayloadBytes) {
      this.framesSent++;
      const to = Math.min(end, at + maxProxmoxPayloadBytes);
      const payload = to - at === source.length ? source : source.subarray(at, to);
      socket.write(encodeClientFrame(opcodes.binary, payload));
    }
    return socket.writableLength === 0;
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  setHandler(handler: LinkHandler): void {
    const isFirst = this.#handler === undefined;
    this.#handler = handler;
    const leftover = this.#leftover?.take();
    this.#leftover = undefined;
    if (leftover) handler.onBytes(leftover, 0, leftover.length);
    if (this.#ended) handler.onEnded(this.#ended.error);
    else if (isFirst) this.#socket.resume();
  }

  ping(onPong: () => void): void {
    this.#onPong = onPong;
    if (this.#socket.writable) this.#socket.write(pingFrame);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #buffer(source: Buffer, start: number, end: number): void {
    this.#leftover ??= new LeftoverBuffer(maxLeftoverBytes);
    if (this.#leftover.push(source, start, end)) return;
    throw new PortholeError('proxmox_invalid_response', {
      detail: `the console sent more than ${maxLeftoverBytes} bytes before its handshake`,
    });
  }

  #end(error?: PortholeError): void {
    if (this.#ended) return;
    this.#ended = error ? { error } : {};
    this.#socket.destroy();
    this.#handler?.onEnded(error);
  }
}

const pingFrame = encodeClientFrame(opcodes.ping, Buffer.alloc(0));
