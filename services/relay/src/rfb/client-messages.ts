import { PortholeError } from '@porthole/shared/errors';
import { clipboardActions } from './clipboard.ts';
import type { ClientRule } from './client-rules.ts';
import type { MessageFilter } from '../stream/message-filter.ts';
import { encodings, offers } from './encodings.ts';

export const clientMessages = {
  setPixelFormat: 0,
  setEncodings: 2,
  framebufferUpdateRequest: 3,
  keyEvent: 4,
  pointerEvent: 5,
  clientCutText: 6,
  enableContinuousUpdates: 150,
  fence: 248,
  xvp: 250,
  setDesktopSize: 251,
  qemu: 255,
} as const;

/** More encodings than any viewer knows. */
const maxEncodings = 512;
/** QEMU drops a client that sends more (ui/vnc.c). */
const maxCutTextBytes = 1024 * 1024;
/** In front of the body of an extended clipboard message; they count as a part of it. */
const flagsBytes = 4;

const inputTypes: ReadonlySet<number> = new Set([
  clientMessages.keyEvent,
  clientMessages.pointerEvent,
  clientMessages.clientCutText,
  clientMessages.xvp,
  clientMessages.setDesktopSize,
  clientMessages.qemu,
]);
/** What a person does, as opposed to what a viewer does by itself; and a paste, see below. */
const humanTypes: ReadonlySet<number> = new Set([
  clientMessages.keyEvent,
  clientMessages.pointerEvent,
  clientMessages.qemu,
]);

/**
 * Filters what a viewer of a screen sends, message by message, whatever the frames it came in. Known messages pass
 * whole. In a view-only session, those that would affect the machine are dropped. Unknown ones end the session,
 * because the boundary behind them can't be found. RFC 6143 section 7.5; extensions as in the rfbproto wiki.
 */
export function createClientMessageFilter(options: {
  readonly viewOnly: boolean;
  /** Called for each key, pointer or paste, also when the session is view-only. */
  readonly onHumanInput: () => void;
  /** What else the session's grant says of messages; asked when `viewOnly` lets one pass. */
  readonly rule?: ClientRule;
}): MessageFilter {
  const { viewOnly, onHumanInput, rule } = options;
  /** The beginning of a message whose end has not arrived; never longer than the largest fixed message. */
  let pending: Buffer = Buffer.alloc(0);
  /** Bytes of a cut text's body that are still to come, and whether they pass. */
  let body = { left: 0, passes: false };
  let extendedPointer = false;

  /**
   * Length of the message at the head of `bytes`, without a cut text's body but with the flags in front of an
   * extended one; 0 when more is needed to tell.
   */
  function lengthOf(bytes: Buffer): number {
    switch (bytes[0]) {
      case clientMessages.setPixelFormat:
        return 20;
      case clientMessages.setEncodings: {
        if (bytes.length < 4) return 0;
        const count = bytes.readUInt16BE(2);
        if (count > maxEncodings) throw tooBig(`SetEncodings with ${count} encodings`);
        return 4 + 4 * count;
      }
      case clientMessages.framebufferUpdateRequest:
      case clientMessages.enableContinuousUpdates:
        return 10;
      case clientMessages.keyEvent:
        return 8;
      case clientMessages.clientCutText: {
        if (bytes.length < 8) return 0;
        // A negative length marks the extended clipboard; its body has as many bytes without the sign.
        const length = bytes.readInt32BE(4);
        if (Math.abs(length) > maxCutTextBytes) throw tooBig(`${Math.abs(length)} bytes of clipboard`);
        if (length < 0 && -length < flagsBytes)
          throw new PortholeError('viewer_protocol', { detail: 'a clipboard message without flags' });
        return length < 0 ? 8 + flagsBytes : 8;
      }
      case clientMessages.pointerEvent:
        if (bytes.length < 2) return 0;
        return extendedPointer && ((bytes[1] ?? 0) & 0x80) !== 0 ? 7 : 6;
      case clientMessages.fence: {
        const payload = bytes[8];
        if (payload === undefined) return 0;
        if (payload > 64) throw tooBig('a fence of more than 64 bytes');
        return 9 + payload;
      }
      case clientMessages.xvp:
        return 4;
      case clientMessages.setDesktopSize: {
        const screens = bytes[6];
        return screens === undefined ? 0 : 8 + 16 * screens;
      }
      case clientMessages.qemu:
        if (bytes.length < 2) return 0;
        if (bytes[1] !== 0)
          throw new PortholeError('viewer_protocol', { detail: `QEMU message ${bytes[1]}` });
        return 12;
      default:
        throw new PortholeError('viewer_protocol', { detail: `message type ${bytes[0]}` });
    }
  }

  function accept(message: Buffer, passed: Buffer[]): void {
    const type = message[0] ?? -1;
    if (humanTypes.has(type) || isPaste(message)) onHumanInput();
    if (type === clientMessages.setEncodings)
      extendedPointer = offers(message, encodings.extendedMouseButtons);
    const left = type === clientMessages.clientCutText ? bodyLengthOf(message) : 0;
    const given = viewOnly && inputTypes.has(type) ? undefined : rule ? rule(message) : message;
    if (left > 0) body = { left, passes: given !== undefined };
    if (given) passed.push(given);
  }

  /** How much of a cut text follows its head. */
  function bodyLengthOf(head: Buffer): number {
    const length = Math.abs(head.readInt32BE(4));
    return head.length > 8 ? length - flagsBytes : length;
  }

  return {
    get atMessageBoundary() {
      return body.left === 0;
    },
    push(chunk, passed = []) {
      let rest = chunk;
      while (rest.length > 0) {
        if (body.left > 0) {
          const part = rest.subarray(0, body.left);
          if (body.passes) passed.push(part);
          body.left -= part.length;
          rest = rest.subarray(part.length);
          continue;
        }
        const bytes = pending.length > 0 ? Buffer.concat([pending, rest]) : rest;
        const length = lengthOf(bytes);
        if (length === 0 || bytes.length < length) {
          pending = Buffer.from(bytes); // a copy: the chunk's memory belongs to the socket
          break;
        }
        pending = Buffer.alloc(0);
        accept(bytes.subarray(0, length), passed);
        rest = bytes.subarray(length);
      }
      return passed;
    },
  };
}

/** Somebody has copied something for the machine; the rest of the extended clipboard viewers say by themselves. */
function isPaste(message: Buffer): boolean {
  if (message[0] !== clientMessages.clientCutText) return false;
  const { caps, notify } = clipboardActions;
  return message.length === 8 || (message.readInt32BE(8) & (caps | notify)) === notify;
}

function tooBig(detail: string): PortholeError {
  return new PortholeError('viewer_message_too_big', { detail });
}
