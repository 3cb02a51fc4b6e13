import { PortholeError } from '@porthole/shared/errors';
import { maxControlBytes, opcodes } from '../stream/websocket-frame.ts';

/** Largest payload of a frame in bytes: the most that pveproxy sends, and the most that it accepts (AnyEvent.pm). */
export const maxProxmoxPayloadBytes = 128 * 1024;

/** Reads the WebSocket frames of pveproxy. */
export interface ProxmoxFrameReader {
  /**
   * Reads `length` bytes of `source` and reports each piece of payload in them. Throws `proxmox_invalid_response` at a
   * frame that pveproxy does not send; after that, it reads nothing more.
   */
  read(source: Buffer, length: number): void;
}

export interface ProxmoxFrameHandler {
  /** A piece of payload, where it lies in the memory that was read. */
  onPayload(source: Buffer, start: number, end: number): void;
  onPong(): void;
  /** A close frame has arrived. */
  onClosed(): void;
}

/**
 * pveproxy sends final unmasked binary frames, and answers a ping with a pong (AnyEvent.pm). A close frame, which a
 * proxy in between may send, ends the console like the end of the connection.
 */
export function createProxmoxFrameReader(handler: ProxmoxFrameHandler): ProxmoxFrameReader {
  return new FrameReader(handler);
}

/** What the next byte is. Numbers, because the state is compared for every frame. */
const states = { firstByte: 0, lengthByte: 1, extendedLength: 2, payload: 3, ended: 4 } as const;

/** A class because a relay has thousands, and each is called for every read. */
class FrameReader implements ProxmoxFrameReader {
  readonly #handler: ProxmoxFrameHandler;
  #state: number = states.firstByte;
  /** Bytes of payload that are still to come; in the state `extendedLength`, the length as far as it is read. */
  #payloadLeft = 0;
  #lengthBytesLeft = 0;
  #isData = true;

  constructor(handler: ProxmoxFrameHandler) {
    this.#handler = handler;
  }

  read(source: Buffer, length: number): void {
    try {
      this.#read(source, length);
    } catch (error) {
      this.#state = states.ended;
      throw error;
    }
  }

  #read(source: Buffer, length: number): void {
    for (let at = 0; at < length;) {
      if (this.#state === states.payload) {
        const end = this.#payloadLeft < length - at ? at + this.#payloadLeft : length;
        this.#payloadLeft -= end - at;
        if (this.#payloadLeft === 0) this.#state = states.firstByte;
        if (this.#isData) this.#handler.onPayload(source, at, end);
        at = end;
      } else if (this.#state === states.ended) {
        return;
      } else {
        this.#readHeaderByte(source[at++] ?? 0);
      }
    }
  }

  #readHeaderByte(byte: number): void {
    switch (this.#state) {
      case states.firstByte:
        if (byte === (0x80 | opcodes.close)) {
          this.#state = states.ended;
          this.#handler.onClosed();
          return;
        }
        this.#isData = byte === (0x80 | opcodes.binary);
        if (!this.#isData && byte !== (0x80 | opcodes.pong))
          throw invalidFrame(`a frame with the first byte 0x${byte.toString(16)}`);
        this.#state = states.lengthByte;
        return;
      case states.lengthByte:
        if (byte > 127) throw invalidFrame('a masked frame');
        if (byte <= maxControlBytes) {
          this.#payloadLeft = byte;
          this.#endHeader();
          return;
        }
        this.#payloadLeft = 0;
        this.#lengthBytesLeft = byte === 126 ? 2 : 8;
        this.#state = states.extendedLength;
        return;
      default:
        // Capped, because the exact value of a length above the limit does not matter.
        this.#payloadLeft = Math.min(this.#payloadLeft * 256 + byte, 2 ** 40);
        if (--this.#lengthBytesLeft === 0) this.#endHeader();
    }
  }

  #endHeader(): void {
    if (this.#payloadLeft > (this.#isData ? maxProxmoxPayloadBytes : maxControlBytes))
      throw invalidFrame('a frame above the size limit');
    if (!this.#isData) this.#handler.onPong();
    this.#state = this.#payloadLeft === 0 ? states.firstByte : states.payload;
  }
}

function invalidFrame(what: string): PortholeError {
  return new PortholeError('proxmox_invalid_response', { detail: `the console's WebSocket sent ${what}` });
}
