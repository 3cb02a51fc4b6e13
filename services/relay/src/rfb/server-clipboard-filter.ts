import { PortholeError } from '@porthole/shared/errors';
import type { ClipboardPolicy } from './clipboard-policy.ts';
import { canParse, encodings } from './encodings.ts';
import { readPixelFormat, type PixelFormat } from './pixel-format.ts';
import { createServerMessageReader, type ServerMessageReader } from './server-message-reader.ts';

/**
 * Keeps a machine's clipboard from its viewer. To find it among the pictures the relay must be able to follow
 * everything that the machine sends, and what that may be is for the viewer to say: so the viewer offers only
 * encodings that are followed, and sets its pixel format before anything is sent in it.
 */
export interface ServerClipboardFilter {
  readonly serverMessages: ServerMessageReader;
  /** Whether the viewer may offer this. */
  allowsEncoding(encoding: number): boolean;
  /** The viewer has offered encodings or asked for pictures. */
  lockPixelFormat(): void;
  /** The viewer sets this. Throws `viewer_protocol` when it is too late, or can't be followed. */
  setPixelFormat(message: Buffer): void;
}

export function createServerClipboardFilter(
  policy: ClipboardPolicy,
  onPixels?: () => void,
): ServerClipboardFilter {
  let machines: PixelFormat | undefined;
  let viewers: PixelFormat | undefined;
  let begun = false;
  const current = () => viewers ?? machines;
  const messages = createServerMessageReader({
    pixelFormat: () => viewers,
    onServerInit: (format) => (machines = format),
    allowsClipboardMessage: policy.allowsOut,
    ...(onPixels ? { onPixels } : {}),
  });

  return {
    serverMessages: messages,
    allowsEncoding(encoding) {
      const tight = encoding === encodings.tight || encoding === encodings.tightPng;
      return canParse(encoding) && !(tight && current()?.bytesPerTightPixel === undefined);
    },
    lockPixelFormat: () => void (begun = true),
    setPixelFormat(message) {
      const format = readPixelFormat(message, 4);
      if (!format) throw refused('an unusual pixel format');
      // Nobody knows which of the pixels on their way are still in the old one.
      if (begun && !isSame(format, current())) throw refused('another pixel format');
      viewers = format;
    },
  };
}

function isSame(a: PixelFormat, b: PixelFormat | undefined): boolean {
  return a.bytesPerPixel === b?.bytesPerPixel && a.bytesPerTightPixel === b.bytesPerTightPixel;
}

function refused(what: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail: `${what} where the clipboard is limited` });
}
