import type { MessageReader } from '../stream/upstream-side.ts';
import { FieldReader } from './field-reader.ts';
import { invalidMessage } from './invalid-message.ts';
import { serverMessageTypes } from './message-types.ts';
import { readPixelFormat, type PixelFormat } from './pixel-format.ts';
import { createRectangleReader, type ReadRectangles } from './rectangle-reader.ts';

export interface ServerMessageReaderOptions {
  /** The pixel format that the viewer has set; undefined while the server's own applies. */
  readonly viewerPixelFormat: () => PixelFormat | undefined;
  /** Called with the server's own pixel format; undefined if it is unsupported. */
  readonly onServerInit?: (format: PixelFormat | undefined) => void;
  /** Whether an extended clipboard message is forwarded, by its flags and its length. Plain text never is. */
  readonly allowsClipboardMessage: (flags: number, bytes: number) => boolean;
  /** Called for each rectangle that has pixels. */
  readonly onPixels?: () => void;
  /** Called when the size of the screen changes. */
  readonly onResize?: ((width: number, height: number) => void) | undefined;
}

const flagsBytes = 4;
/** Flags and sixteen sizes. A longer extended clipboard message carries text. */
const maxBytesWithoutText = flagsBytes + 16 * 4;

/**
 * Reads what a VNC server sends after the handshake, from ServerInit on (RFC 6143 sections 7.3.2 and 7.6; extensions as
 * in rfbproto), and forwards everything but clipboard messages that are not allowed. Only sessions whose clipboard is
 * restricted use it after the first picture; all others forward the machine's messages unread.
 *
 * Supports the encodings of encodings.ts. Throws `proxmox_invalid_response` at anything else, because the boundary
 * behind it can't be found; what came before was forwarded. Memory does not grow with what the server sends.
 */
export function createServerMessageReader(options: ServerMessageReaderOptions): MessageReader {
  const fields = new FieldReader();
  const { field } = fields;
  let serverFormat: PixelFormat | undefined;
  /** Created for the first rectangle: thousands of sessions wait for it, and most stop reading at it. */
  let readRectangles: ReadRectangles | undefined;

  function onServerInit(): void {
    serverFormat = readPixelFormat(field, 4);
    options.onServerInit?.(serverFormat);
    fields.skipBody(field.readUInt32BE(20), nextMessage);
  }

  function nextMessage(): void {
    fields.readField(1, onMessageType);
  }

  function onMessageType(): void {
    switch (field[0]) {
      case serverMessageTypes.framebufferUpdate:
        return fields.readField(3, onFramebufferUpdate);
      case serverMessageTypes.setColourMapEntries:
        return fields.readField(5, onColourMap);
      case serverMessageTypes.bell:
      case serverMessageTypes.endOfContinuousUpdates:
        return nextMessage();
      case serverMessageTypes.serverCutText:
        fields.withhold();
        return fields.readField(7, onCutText);
      case serverMessageTypes.fence:
        return fields.readField(8, onFence);
      case serverMessageTypes.xvp:
        return fields.readField(3, nextMessage);
      default:
        throw invalidMessage(`message type ${field[0]}`);
    }
  }

  function onFramebufferUpdate(): void {
    readRectangles ??= createRectangleReader(fields, {
      pixelFormat: () => options.viewerPixelFormat() ?? serverFormat,
      onPixels: options.onPixels,
      onResize: options.onResize,
      onDone: nextMessage,
    });
    readRectangles(field.readUInt16BE(1));
  }

  function onColourMap(): void {
    fields.skipBody(6 * field.readUInt16BE(3), nextMessage);
  }

  function onFence(): void {
    fields.skipBody(field[7] ?? 0, nextMessage);
  }

  function onCutText(): void {
    // A negative length marks an extended clipboard message; its absolute value is the length.
    const length = field.readInt32BE(3);
    const bytes = Math.abs(length);
    if (length >= 0 || bytes < flagsBytes || bytes > maxBytesWithoutText)
      return fields.skipBody(bytes, afterCutText);
    const start = Buffer.concat([Buffer.of(serverMessageTypes.serverCutText), field.subarray(0, 7)]);
    fields.readField(flagsBytes, () => {
      const allowed = options.allowsClipboardMessage(field.readInt32BE(0), bytes);
      if (allowed) fields.forward(Buffer.concat([start, field.subarray(0, flagsBytes)]));
      fields.skipBody(bytes - flagsBytes, allowed ? nextMessage : afterCutText);
    });
  }

  function afterCutText(): void {
    fields.forward();
    nextMessage();
  }

  fields.readField(24, onServerInit);
  return fields;
}
