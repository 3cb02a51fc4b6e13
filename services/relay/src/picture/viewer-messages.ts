import { PortholeError } from '@porthole/shared/errors';
import { encodings } from '../rfb/encodings.ts';
import { clientMessageTypes } from '../rfb/message-types.ts';
import type { Region } from './framebuffer.ts';
import { readViewerFormat, type ViewerFormat } from './viewer-format.ts';

/** What a viewer supports, of what a picture server uses. */
export interface ViewerEncodings {
  /** Encodings of pixels in the order of its preference (RFC 6143 section 7.5.2). All viewers support Raw as well. */
  readonly preferred: readonly ('tight' | 'hextile')[];
  /** 0 to 9, if the viewer accepts JPEG. */
  readonly quality: number | undefined;
  readonly cursor: boolean;
  readonly desktopSize: boolean;
  readonly extendedDesktopSize: boolean;
  readonly ledState: boolean;
  readonly extendedKeys: boolean;
}

/** The pseudo-encoding of quality level 0 (rfbproto). The levels up to 9 follow. */
const lowestQuality = -32;

export type ViewerMessage =
  | { readonly type: 'format'; readonly format: ViewerFormat }
  | { readonly type: 'encodings'; readonly encodings: ViewerEncodings }
  | { readonly type: 'request'; readonly incremental: boolean; readonly region: Region };

/** A viewer that has not sent SetEncodings supports Raw alone. */
export const noEncodings: ViewerEncodings = readEncodings(new Set());

/** Reads one message about the picture. Throws `viewer_protocol` for others and for invalid ones. */
export function readViewerMessage(bytes: Uint8Array): ViewerMessage {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (message[0]) {
    case clientMessageTypes.setPixelFormat:
      checkLength(message, 20);
      return { type: 'format', format: readViewerFormat(message.subarray(4)) };
    case clientMessageTypes.setEncodings: {
      checkLength(message, message.length < 4 ? 4 : 4 + 4 * message.readUInt16BE(2));
      const offered = new Set<number>();
      for (let at = 4; at < message.length; at += 4) offered.add(message.readInt32BE(at));
      return { type: 'encodings', encodings: readEncodings(offered) };
    }
    case clientMessageTypes.framebufferUpdateRequest: {
      checkLength(message, 10);
      const [x = 0, y = 0, width = 0, height = 0] = [2, 4, 6, 8].map((at) => message.readUInt16BE(at));
      return { type: 'request', incremental: message[1] !== 0, region: { x, y, width, height } };
    }
    default:
      throw new PortholeError('viewer_protocol', { detail: `no message about the picture: ${message[0]}` });
  }
}

function readEncodings(offered: ReadonlySet<number>): ViewerEncodings {
  // Viewers send one level. Of several, the first counts.
  const level = [...offered].find((each) => each >= lowestQuality && each <= lowestQuality + 9);
  return {
    preferred: [...offered].flatMap((each) =>
      each === encodings.tight ? 'tight' : each === encodings.hextile ? 'hextile' : [],
    ),
    quality: level === undefined ? undefined : level - lowestQuality,
    cursor: offered.has(encodings.cursor),
    desktopSize: offered.has(encodings.desktopSize),
    extendedDesktopSize: offered.has(encodings.extendedDesktopSize),
    ledState: offered.has(encodings.qemuLedState),
    extendedKeys: offered.has(encodings.qemuExtendedKey),
  };
}

function checkLength(message: Buffer, expected: number): void {
  if (message.length !== expected)
    throw new PortholeError('viewer_protocol', {
      detail: `a message of type ${message[0]} with ${message.length} bytes`,
    });
}
