import type { TLSSocket } from 'node:tls';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { encodeClientFrame, opcodes } from '../stream/websocket-frame.ts';
import {
  createProxmoxFrameReader,
  maxProxmoxPayloadBytes,
  type ProxmoxFrameHandler,
} from './proxmox-frame-reader.ts';
import type { Link, LinkHandler } from '../stream/link.ts';

/** A machine's side of a console, that can be asked whether it is still there. */
export interface MachineLink extends Link {
  /** Sends a ping. Its answer calls back, once. */
  ping(onPong: () => void): void;
}

/** A link to a console at Proxmox. The socket's reader feeds it. */
export interface ProxmoxLink extends MachineLink {
  /** So many bytes of the connection were read, and lie there until this returns. */
  onRead(source: Buffer, length: number): void;
}

/** A VNC server says 12 bytes before it is spoken to; one read may bring more, and no honest one more than this. */
const earlyBytes = 128 * 1024;

export function createProxmoxLink(socket: TLSSocket): ProxmoxLink {
  return new ProxmoxConnection(socket);
}

/** A class for the same reason as the reader of its frames: there are thousands. */
class ProxmoxConnection implements ProxmoxLink, ProxmoxFrameHandler {
  readonly #socket: TLSSocket;
  readonly #frames = createProxmoxFrameReader(this);
  #handler: LinkHandler | undefined;
  framesSent = 0;
  #early: Buffer[] | undefined;
  #onPong: (() => void) | undefined;
  #lost: { readonly error?: PortholeError } | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.pause();
    // An error, which the dial has somebody to ignore, is always followed by a close, which is what we act on.
    const lose = () => this.#lose();
    socket.on('end', lose);
    socket.on('close', lose);
    socket.on('drain', () => this.#handler?.onDrained?.());
    if (socket.destroyed || socket.readableEnded) this.#lose();
  }

  onRead(source: Buffer, length: number): void {
    if (this.#lost) return;
    try {
      this.#frames.read(source, length);
    } catch (error) {
      this.#lose(asPortholeError(error));
    }
  }

  onPayload(source: Buffer, start: number, end: number): void {
    if (this.#handler) this.#handler.onBytes(source, start, end);
    else this.#keep(Buffer.from(source.subarray(start, end)));
  }

  onPong(): void {
    const answered = this.#onPong;
    this.#onPong = undefined;
    answered?.();
  }

  onClosed(): void {
    this.#lose();
  }

  #keep(piece: Buffer): void {
    this.#early ??= [];
    this.#early.push(piece);
    if (this.#early.reduce((sum, { length }) => sum + length, 0) > earlyBytes)
      throw new PortholeError('proxmox_invalid_response', {
        detail: 'the VNC server talks before it is spoken to',
      });
  }

  #lose(error?: PortholeError): void {
    if (this.#lost) return;
    this.#lost = error ? { error } : {};
    this.#socket.destroy();
    this.#handler?.onEnded(error);
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    for (let at = start; at < end; at += maxProxmoxPayloadBytes) {
      this.framesSent++;
      socket.write(
        encodeClientFrame(opcodes.binary, source.subarray(at, Math.min(end, at + maxProxmoxPayloadBytes))),
      );
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

  setHandler(next: LinkHandler): void {
    const first = this.#handler === undefined;
    this.#handler = next;
    const waiting = this.#early;
    this.#early = undefined;
    for (const piece of waiting ?? []) next.onBytes(piece, 0, piece.length);
    if (this.#lost) next.onEnded(this.#lost.error);
    else if (first) this.#socket.resume();
  }

  ping(onPong: () => void): void {
    this.#onPong = onPong;
    if (this.#socket.writable) this.#socket.write(pingFrame);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const pingFrame = encodeClientFrame(opcodes.ping, Buffer.alloc(0));
