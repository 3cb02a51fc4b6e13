import { PortholeError } from '@porthole/shared/errors';
import { maxControlBytes, opcodes } from '../stream/websocket-frame.ts';

/** The largest frame that pveproxy sends, and the largest that it takes without harm (AnyEvent.pm). */
export const maxProxmoxPayloadBytes = 128 * 1024;

export interface ProxmoxFrameReader {
  /**
   * Reads `length` bytes of `source` and hands on each piece of payload in them. Throws `proxmox_invalid_response` at
   * anything that pveproxy does not send; it is over then.
   */
  read(source: Buffer, length: number): void;
}

/** Where in a frame the next byte belongs. Numbers, because this is asked for every frame of the fat direction. */
const parts = { first: 0, second: 1, length: 2, payload: 3, over: 4 } as const;

export interface ProxmoxFrameHandler {
  onPayload(source: Buffer, start: number, end: number): void;
  /** The answer to a ping. */
  onPong(): void;
  onClosed(): void;
}

/**
 * The frames of the fat direction. pveproxy sends final unmasked binary frames and answers a ping with a pong,
 * nothing else; a close frame, should one come from a proxy in between, ends the console like the end of the
 * connection does. Payload is not touched: a piece is where it lies in the memory that was read.
 */
export function createProxmoxFrameReader(handler: ProxmoxFrameHandler): ProxmoxFrameReader {
  return new FrameReader(handler);
}

/** A class, as there are thousands, each asked for every read: one object, and no function of its own. */
class FrameReader implements ProxmoxFrameReader {
  readonly #handler: ProxmoxFrameHandler;
  #part: number = parts.first;
  /** Bytes of payload that are still to come; while the length is read, what is known of it. */
  #left = 0;
  #lengthBytes = 0;
  #data = true;

  constructor(handler: ProxmoxFrameHandler) {
    this.#handler = handler;
  }

  read(source: Buffer, length: number): void {
    try {
      this.#read(source, length);
    } catch (error) {
      this.#part = parts.over;
      throw error;
    }
  }

  #read(source: Buffer, length: number): void {
    for (let at = 0; at < length;) {
      if (this.#part === parts.payload) {
        const end = this.#left < length - at ? at + this.#left : length;
        this.#left -= end - at;
        if (this.#left === 0) this.#part = parts.first;
        if (this.#data) this.#handler.onPayload(source, at, end);
        at = end;
      } else if (this.#part === parts.over) {
        return;
      } else {
        this.#header(source[at++] ?? 0);
      }
    }
  }

  #header(byte: number): void {
    switch (this.#part) {
      case parts.first:
        if (byte === (0x80 | opcodes.close)) {
          this.#part = parts.over;
          this.#handler.onClosed();
          return;
        }
        this.#data = byte === (0x80 | opcodes.binary);
        if (!this.#data && byte !== (0x80 | opcodes.pong))
          throw nonsense(`a frame that begins with 0x${byte.toString(16)}`);
        this.#part = parts.second;
        return;
      case parts.second:
        if (byte > 127) throw nonsense('a masked frame');
        this.#left = byte;
        if (byte <= maxControlBytes) {
          this.#begin();
          return;
        }
        this.#left = 0;
        this.#lengthBytes = byte === 126 ? 2 : 8;
        this.#part = parts.length;
        return;
      default:
        // What is too long stays too long; it need not be counted exactly.
        this.#left = Math.min(this.#left * 256 + byte, 2 ** 40);
        if (--this.#lengthBytes === 0) this.#begin();
    }
  }

  /** The header is complete. */
  #begin(): void {
    if (this.#left > (this.#data ? maxProxmoxPayloadBytes : maxControlBytes))
      throw nonsense('a frame that is too long');
    if (!this.#data) this.#handler.onPong();
    this.#part = this.#left === 0 ? parts.first : parts.payload;
  }
}

function nonsense(what: string): PortholeError {
  return new PortholeError('proxmox_invalid_response', { detail: `the console's WebSocket: ${what}` });
}
