import { encodings, offersEncoding } from '../rfb/encodings.ts';
import { serverMessageTypes } from '../rfb/message-types.ts';

export interface ScreenSize {
  readonly width: number;
  readonly height: number;
}

/** The size in a ServerInit message (RFC 6143 section 7.3.2). */
export function sizeOfServerInit(message: Buffer): ScreenSize {
  return { width: message.readUInt16BE(0), height: message.readUInt16BE(2) };
}

/** An update that tells a viewer another size; undefined if its SetEncodings message does not offer that. */
export function resizeMessage(setEncodings: Buffer, { width, height }: ScreenSize): Buffer | undefined {
  // ExtendedDesktopSize invites requests for other sizes, which this machine may not support.
  const extended = !offersEncoding(setEncodings, encodings.desktopSize);
  if (extended && !offersEncoding(setEncodings, encodings.extendedDesktopSize)) return undefined;
  const message = Buffer.alloc(extended ? 36 : 16);
  message[0] = serverMessageTypes.framebufferUpdate;
  message.writeUInt16BE(1, 2);
  message.writeUInt16BE(width, 8);
  message.writeUInt16BE(height, 10);
  message.writeInt32BE(extended ? encodings.extendedDesktopSize : encodings.desktopSize, 12);
  if (!extended) return message;
  message[16] = 1; // One screen of the whole size.
  message.writeUInt16BE(width, 28);
  message.writeUInt16BE(height, 30);
  return message;
}
