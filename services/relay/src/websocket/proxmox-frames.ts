import { PortholeError } from '@porthole/shared/errors';
import { maxControlBytes, opcodes } from './frame.ts';

/** The largest frame that pveproxy sends, and the largest that it takes without harm (AnyEvent.pm). */
export const maxProxmoxPayload = 128 * 1024;

export interface ProxmoxFrames {
  /**
   * Reads `length` bytes of `source` and hands on each piece of payload in them. Throws `proxmox_nonsense` at
   * anything that pveproxy does not send; it is over then.
   */
  read(source: Buffer, length: number): void;
}

/** Where in a frame the next byte belongs. Numbers, because this is asked for every frame of the fat direction. */
const parts = { first: 0, second: 1, length: 2, payload: 3, over: 4 } as const;

/**
 * The frames of the fat direction. pveproxy sends final unmasked binary frames and answers a ping with a pong,
 * nothing else; a close frame, should one come from a proxy in between, ends the console like the end of the
 * connection does. Payload is not touched: a piece is where it lies in the memory that was read.
 */
export function createProxmoxFrames(handler: {
  readonly payload: (source: Buffer, start: number, end: number) => void;
  readonly pong: () => void;
  readonly close: () => void;
}): ProxmoxFrames {
  let part: number = parts.first;
  /** Bytes of payload that are still to come; while the length is read, what is known of it. */
  let left = 0;
  let lengthBytes = 0;
  let data = true;

  /** The header is complete. */
  function begin(): void {
    if (left > (data ? maxProxmoxPayload : maxControlBytes)) throw nonsense('a frame that is too long');
    if (!data) handler.pong();
    part = left === 0 ? parts.first : parts.payload;
  }

  function header(byte: number): void {
    switch (part) {
      case parts.first:
        if (byte === (0x80 | opcodes.close)) {
          part = parts.over;
          handler.close();
          return;
        }
        data = byte === (0x80 | opcodes.binary);
        if (!data && byte !== (0x80 | opcodes.pong))
          throw nonsense(`a frame that begins with 0x${byte.toString(16)}`);
        part = parts.second;
        return;
      case parts.second:
        if (byte > 127) throw nonsense('a masked frame');
        left = byte;
        if (byte <= maxControlBytes) {
          begin();
          return;
        }
        left = 0;
        lengthBytes = byte === 126 ? 2 : 8;
        part = parts.length;
        return;
      default:
        // What is too long stays too long; it need not be counted exactly.
        left = Math.min(left * 256 + byte, 2 ** 40);
        if (--lengthBytes === 0) begin();
    }
  }

  function read(source: Buffer, length: number): void {
    for (let at = 0; at < length;) {
      if (part === parts.payload) {
        const end = left < length - at ? at + left : length;
        if (data) handler.payload(source, at, end);
        left -= end - at;
        at = end;
        if (left === 0) part = parts.first;
      } else if (part === parts.over) {
        return;
      } else {
        header(source[at++] ?? 0);
      }
    }
  }

  return {
    read(source, length) {
      try {
        read(source, length);
      } catch (error) {
        part = parts.over;
        throw error;
      }
    },
  };
}

function nonsense(what: string): PortholeError {
  return new PortholeError('proxmox_nonsense', { detail: `the console's WebSocket: ${what}` });
}
