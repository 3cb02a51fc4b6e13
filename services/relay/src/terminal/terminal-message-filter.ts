import type { MessageFilter } from '../stream/message-filter.ts';
import { inputMessage, readHeader } from './terminal-messages.ts';

/** Shared, because thousands of sessions hold one for as long as they live. */
const empty = Buffer.alloc(0);

/**
 * Filters the messages of a terminal's viewer, however they are split into frames. They are those of Proxmox's own
 * terminal page (pve-xtermjs main.js): `0:LENGTH:data` for input, `1:COLUMNS:ROWS:` for the size, and `2` as a ping.
 *
 * Messages are validated and written anew, because termproxy takes each read for complete messages (termproxy main.rs):
 * it loses a header that is split, and reads the input behind it as messages. So only whole messages are forwarded: of a
 * long one, what has arrived. Consecutive input gets one common header, which makes a split at the end of termproxy's
 * buffer of 4096 bytes rare.
 */
export function createTerminalMessageFilter(options: {
  /** Drops input and sizes. */
  readonly viewOnly: boolean;
  /** While it is shut, input is dropped. Sizes pass, because the terminal keeps its window. Default: never shut. */
  readonly gate?: { readonly shut: boolean };
  /** Called for input, also when the session is view-only. */
  readonly onHumanInput: () => void;
}): MessageFilter {
  const { viewOnly, gate, onHumanInput } = options;
  /** The start of a header that is incomplete. */
  let pending: Buffer = empty;
  /** Bytes of the current input message that are still to come. */
  let dataBytesLeft = 0;

  function takeData(bytes: Buffer): Buffer {
    const data = bytes.subarray(0, dataBytesLeft);
    dataBytesLeft -= data.length;
    return data;
  }

  return {
    atMessageBoundary: true,
    push(chunk, forwarded = []) {
      const input = new InputMerger(forwarded);
      const continued = takeData(chunk);
      const dropsInput = viewOnly || gate?.shut === true;
      if (!dropsInput) input.add(continued);
      let unread = chunk.subarray(continued.length);
      if (unread.length > 0 && pending.length > 0) {
        unread = Buffer.concat([pending, unread]);
        pending = empty;
      }
      try {
        while (unread.length > 0) {
          const header = readHeader(unread);
          if (!header) {
            pending = Buffer.from(unread); // A copy, because the socket reuses the chunk's memory.
            break;
          }
          unread = unread.subarray(header.headerBytes);
          if (header.type === 'data') {
            if (header.dataBytes > 0) onHumanInput();
            dataBytesLeft = header.dataBytes;
            const data = takeData(unread);
            if (!dropsInput) input.add(data);
            unread = unread.subarray(data.length);
          } else if (header.type === 'size') {
            input.flush();
            if (!viewOnly) forwarded.push(Buffer.from(`1:${header.columns}:${header.rows}:`));
          }
        }
      } finally {
        // Also before a fault, so that the result does not depend on the chunks.
        input.flush();
      }
      return forwarded;
    },
  };
}

/** Collects consecutive input and forwards it as one message. */
class InputMerger {
  readonly #forwarded: Buffer[];
  #pieces: Buffer[] = [];

  constructor(forwarded: Buffer[]) {
    this.#forwarded = forwarded;
  }

  add(piece: Buffer): void {
    if (piece.length > 0) this.#pieces.push(piece);
  }

  flush(): void {
    if (this.#pieces.length === 0) return;
    this.#forwarded.push(inputMessage(Buffer.concat(this.#pieces)));
    this.#pieces = [];
  }
}
