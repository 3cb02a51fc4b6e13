import { PortholeError } from '@porthole/shared/errors';
import { clientMessageTypes } from './message-types.ts';

/** More encodings than any viewer knows. */
const maxEncodings = 512;
/** QEMU drops a client that sends more (ui/vnc.c). */
const maxCutTextBytes = 1024 * 1024;
/** Limit of rfbproto for the payload of a fence. */
const maxFenceBytes = 64;
/** Flags at the start of an extended clipboard message. Its length includes them. */
const flagsBytes = 4;

/**
 * Length of the message that starts here, or 0 if it takes more bytes to tell. A cut text counts without its text, but
 * with the flags of an extended one.
 */
export function clientMessageLength(bytes: Buffer, extendedPointer: boolean): number {
  switch (bytes[0]) {
    case clientMessageTypes.setPixelFormat:
      return 20;
    case clientMessageTypes.setEncodings: {
      if (bytes.length < 4) return 0;
      const count = bytes.readUInt16BE(2);
      if (count > maxEncodings) throw tooBig(`SetEncodings with ${count} encodings`);
      return 4 + 4 * count;
    }
    case clientMessageTypes.framebufferUpdateRequest:
    case clientMessageTypes.enableContinuousUpdates:
      return 10;
    case clientMessageTypes.keyEvent:
      return 8;
    case clientMessageTypes.clientCutText: {
      if (bytes.length < 8) return 0;
      // A negative length marks an extended clipboard message; its absolute value is the length.
      const length = bytes.readInt32BE(4);
      if (Math.abs(length) > maxCutTextBytes) throw tooBig(`cut text of ${Math.abs(length)} bytes`);
      if (length < 0 && -length < flagsBytes) throw protocolError('extended clipboard message without flags');
      return length < 0 ? 8 + flagsBytes : 8;
    }
    case clientMessageTypes.pointerEvent:
      if (bytes.length < 2) return 0;
      return extendedPointer && ((bytes[1] ?? 0) & 0x80) !== 0 ? 7 : 6;
    case clientMessageTypes.fence: {
      const payload = bytes[8];
      if (payload === undefined) return 0;
      if (payload > maxFenceBytes) throw tooBig(`fence of ${payload} bytes`);
      return 9 + payload;
    }
    case clientMessageTypes.xvp:
      return 4;
    case clientMessageTypes.setDesktopSize: {
      const screens = bytes[6];
      return screens === undefined ? 0 : 8 + 16 * screens;
    }
    case clientMessageTypes.qemu:
      if (bytes.length < 2) return 0;
      if (bytes[1] !== 0) throw protocolError(`unknown QEMU message ${bytes[1]}`);
      return 12;
    default:
      throw protocolError(`unknown message type ${bytes[0]}`);
  }
}

/** Length of the text that follows this part of a cut text message. */
export function cutTextBytesAfter(message: Buffer): number {
  const length = Math.abs(message.readInt32BE(4));
  return message.length > 8 ? length - flagsBytes : length;
}

function tooBig(detail: string): PortholeError {
  return new PortholeError('viewer_message_too_big', { detail });
}

function protocolError(detail: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail });
}
