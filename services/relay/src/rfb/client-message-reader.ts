import { clientMessageLength, cutTextBytesAfter } from './client-message-length.ts';
import { encodings, offersEncoding } from './encodings.ts';
import { clientMessageTypes } from './message-types.ts';

/** Shared, because a viewer between two messages needs none. */
const empty = Buffer.alloc(0);
/** Memory that is kept for the next message that arrives in pieces. */
const maxKeptBytes = 4096;

/**
 * Finds the complete messages of a viewer, however they are cut. Buffers one message at most, and no message is longer
 * than 1 MiB.
 */
export class ClientMessageReader {
  readonly #onMessage: (message: Buffer) => void;
  /** The start of a message that is incomplete: the first bytes of memory that grows by doubling. */
  #memory = empty;
  #length = 0;
  #extendedPointer = false;

  /** A message is valid during the call only: its memory is reused. */
  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Whether a message has arrived in part. */
  get isWithinMessage(): boolean {
    return this.#length > 0;
  }

  /** Throws `viewer_protocol` or `viewer_message_too_big`, after which the reader must not be used. */
  push(chunk: Buffer): void {
    if (this.#length === 0) {
      this.#keep(chunk, this.#readMessages(chunk));
      return;
    }
    this.#append(chunk);
    const bytes = this.#memory.subarray(0, this.#length);
    // Empty from here on, so that `isWithinMessage` is right during the calls.
    this.#length = 0;
    this.#keep(bytes, this.#readMessages(bytes));
  }

  /** Returns the position behind the last complete message. */
  #readMessages(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length) {
      const rest = at === 0 ? bytes : bytes.subarray(at);
      const length = this.#completeLength(rest);
      if (length === 0 || length > rest.length) break;
      const message = rest.subarray(0, length);
      if (message[0] === clientMessageTypes.setEncodings)
        this.#extendedPointer = offersEncoding(message, encodings.extendedMouseButtons);
      at += length;
      this.#onMessage(message);
    }
    return at;
  }

  /** Length of the message that starts here with all that belongs to it, or 0 if it takes more bytes to tell. */
  #completeLength(bytes: Buffer): number {
    const length = clientMessageLength(bytes, this.#extendedPointer);
    if (bytes[0] !== clientMessageTypes.clientCutText || length === 0 || length > bytes.length) return length;
    return length + cutTextBytesAfter(bytes.subarray(0, length));
  }

  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#memory.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#memory.length));
      this.#memory.copy(grown, 0, 0, this.#length);
      this.#memory = grown;
    }
    chunk.copy(this.#memory, this.#length);
    this.#length = length;
  }

  /** Keeps what follows `from`. */
  #keep(bytes: Buffer, from: number): void {
    const rest = bytes.subarray(from);
    if (rest.length === 0) {
      if (this.#memory.length > maxKeptBytes) this.#memory = empty;
    } else if (rest.buffer === this.#memory.buffer) {
      this.#memory.copyWithin(0, from, bytes.length);
      this.#length = rest.length;
    } else this.#append(rest);
  }
}
