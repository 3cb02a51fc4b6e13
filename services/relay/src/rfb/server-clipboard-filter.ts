import { PortholeError } from '@porthole/shared/errors';
import type { MessageReader } from '../stream/upstream-side.ts';
import type { ClipboardPolicy } from './clipboard-policy.ts';
import { canParse, encodings } from './encodings.ts';
import { readPixelFormat, type PixelFormat } from './pixel-format.ts';
import { createServerMessageReader } from './server-message-reader.ts';

/**
 * Keeps the machine's clipboard from its viewer. To find clipboard messages between the pictures, the relay must be
 * able to parse everything that the machine sends. The viewer determines what that is, so the filter restricts the
 * viewer to encodings that the relay can parse, and to one pixel format that is set before the first update.
 */
export interface ServerClipboardFilter {
  /** Reads the machine's messages and leaves out those of the clipboard. */
  readonly serverMessages: MessageReader;
  /** Whether the viewer may offer this encoding. */
  allowsEncoding(encoding: number): boolean;
  /** The viewer offered encodings or requested an update: from now on, its pixel format must not change. */
  lockPixelFormat(): void;
  /** Takes a SetPixelFormat message. Throws `viewer_protocol` if the format is locked, or if it can't be parsed. */
  setPixelFormat(message: Buffer): void;
}

export function createServerClipboardFilter(
  policy: Pick<ClipboardPolicy, 'allowsOut'>,
  onResize?: (width: number, height: number) => void,
): ServerClipboardFilter {
  let serverFormat: PixelFormat | undefined;
  let viewerFormat: PixelFormat | undefined;
  let locked = false;
  const currentFormat = () => viewerFormat ?? serverFormat;
  const serverMessages = createServerMessageReader({
    viewerPixelFormat: () => viewerFormat,
    onServerInit: (format) => (serverFormat = format),
    allowsClipboardMessage: policy.allowsOut,
    onResize,
  });

  return {
    serverMessages,
    allowsEncoding(encoding) {
      const tight = encoding === encodings.tight || encoding === encodings.tightPng;
      return canParse(encoding) && !(tight && currentFormat()?.bytesPerTightPixel === undefined);
    },
    lockPixelFormat: () => void (locked = true),
    setPixelFormat(message) {
      const format = readPixelFormat(message, 4);
      if (!format) throw protocolError('an unsupported pixel format');
      // Pixels in the old format may be on their way, and nothing marks where the new one begins.
      if (locked && !isSame(format, currentFormat())) throw protocolError('a change of the pixel format');
      viewerFormat = format;
    },
  };
}

function isSame(a: PixelFormat, b: PixelFormat | undefined): boolean {
  return a.bytesPerPixel === b?.bytesPerPixel && a.bytesPerTightPixel === b.bytesPerTightPixel;
}

function protocolError(what: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail: `${what} in a session with a restricted clipboard` });
}
