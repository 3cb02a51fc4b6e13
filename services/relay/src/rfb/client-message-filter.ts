import type { MessageFilter } from '../stream/message-filter.ts';
import { clientMessageLength, cutTextBytesAfter } from './client-message-length.ts';
import type { ClientMessagePolicy } from './client-message-policy.ts';
import { clipboardActions } from './clipboard-policy.ts';
import { encodings, offersEncoding } from './encodings.ts';
import { HeldInput } from './held-input.ts';
import { clientMessageTypes } from './message-types.ts';

/** Shared, because thousands of sessions hold one for as long as they live. */
const empty = Buffer.alloc(0);

/** Messages that affect the machine. A view-only session drops them. */
const inputTypes: ReadonlySet<number> = new Set([
  clientMessageTypes.keyEvent,
  clientMessageTypes.pointerEvent,
  clientMessageTypes.clientCutText,
  clientMessageTypes.xvp,
  clientMessageTypes.setDesktopSize,
  clientMessageTypes.qemu,
]);
/** Messages that only a user's action causes. `isPaste` recognizes pastes. */
const userInputTypes: ReadonlySet<number> = new Set([
  clientMessageTypes.keyEvent,
  clientMessageTypes.pointerEvent,
  clientMessageTypes.qemu,
]);

export interface ClientMessageFilterOptions {
  readonly viewOnly: boolean;
  /** While it is shut, messages that affect the machine are dropped, as in a view-only session. Default: never shut. */
  readonly gate?: { readonly shut: boolean };
  /** Called for each key, pointer event or paste, also when the session is view-only. */
  readonly onHumanInput: () => void;
  /** The grant's policy for messages. Applied to those that `viewOnly` allows. */
  readonly policy?: ClientMessagePolicy;
  /** Called with the text of a cut text that is forwarded, piece by piece. */
  readonly onCutText?: ((text: Buffer, last: boolean) => void) | undefined;
}

/**
 * Filters the RFB messages of a viewer (RFC 6143 section 7.5; extensions as in rfbproto), however they are split into
 * frames. A known message is forwarded complete; a view-only session drops those that would affect the machine. An
 * unknown message ends the session, because the boundary behind it can't be found.
 */
export class ClientMessageFilter implements MessageFilter {
  readonly #options: ClientMessageFilterOptions;
  /** The start of a message that is incomplete; never longer than the largest fixed message. */
  #pending: Buffer = empty;
  /** The text of a cut text message: how much is still to come, and whether it is forwarded. */
  #textBytesLeft = 0;
  #textAllowed = false;
  #extendedPointer = false;
  readonly #held = new HeldInput();

  constructor(options: ClientMessageFilterOptions) {
    this.#options = options;
  }

  get atMessageBoundary(): boolean {
    return this.#textBytesLeft === 0;
  }

  /** The messages that release all keys and buttons that the viewer holds. To be sent at a message boundary. */
  releaseHeld(): readonly Buffer[] {
    return this.#held.release();
  }

  push(chunk: Buffer, forwarded: Buffer[] = []): readonly Buffer[] {
    let unread = chunk;
    while (unread.length > 0) {
      if (this.#textBytesLeft > 0) {
        const text = unread.subarray(0, this.#textBytesLeft);
        if (this.#textAllowed) forwarded.push(text);
        this.#textBytesLeft -= text.length;
        if (this.#textAllowed) this.#options.onCutText?.(text, this.#textBytesLeft === 0);
        unread = unread.subarray(text.length);
        // The gate may have shut within the message, when nothing could be released.
        if (this.atMessageBoundary && this.#options.gate?.shut) forwarded.push(...this.releaseHeld());
        continue;
      }
      const bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, unread]) : unread;
      const length = clientMessageLength(bytes, this.#extendedPointer);
      if (length === 0 || bytes.length < length) {
        this.#pending = Buffer.from(bytes); // A copy, because the socket reuses the chunk's memory.
        break;
      }
      this.#pending = empty;
      // Most chunks are one message. A view costs more than all else that is done for it.
      const isWhole = bytes.length === length;
      this.#onMessage(isWhole ? bytes : bytes.subarray(0, length), forwarded);
      unread = isWhole ? empty : bytes.subarray(length);
    }
    return forwarded;
  }

  #onMessage(message: Buffer, forwarded: Buffer[]): void {
    const { viewOnly, gate, onHumanInput, policy } = this.#options;
    const type = message[0] ?? -1;
    if (userInputTypes.has(type) || isPaste(message)) onHumanInput();
    if (type === clientMessageTypes.setEncodings)
      this.#extendedPointer = offersEncoding(message, encodings.extendedMouseButtons);
    const bytesLeft = type === clientMessageTypes.clientCutText ? cutTextBytesAfter(message) : 0;
    const blocked = (viewOnly || gate?.shut === true) && inputTypes.has(type);
    const allowed = blocked ? undefined : policy ? policy(message) : message;
    if (bytesLeft > 0) {
      this.#textBytesLeft = bytesLeft;
      this.#textAllowed = allowed !== undefined;
    }
    if (!allowed) return;
    this.#held.forwarded(allowed);
    forwarded.push(allowed);
  }
}

/**
 * Whether the message announces text that a user copied. Viewers send the other extended clipboard messages without a
 * user's action.
 */
function isPaste(message: Buffer): boolean {
  if (message[0] !== clientMessageTypes.clientCutText) return false;
  const { caps, notify } = clipboardActions;
  return message.length === 8 || (message.readInt32BE(8) & (caps | notify)) === notify;
}
