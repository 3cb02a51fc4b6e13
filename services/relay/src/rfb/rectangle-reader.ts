import { encodings } from './encodings.ts';
import type { FieldReader } from './field-reader.ts';
import { invalidMessage } from './invalid-message.ts';
import type { PixelFormat } from './pixel-format.ts';
import { createTightReader } from './tight-reader.ts';

/** Reads the rectangles of a framebuffer update (RFC 6143 section 7.6.1), up to the number that its header says. */
export type ReadRectangles = (count: number) => void;

/** Passes over rectangles. `onDone` is called after the last one. */
export function createRectangleReader(
  fields: FieldReader,
  options: {
    /** The format of the pixels; undefined if it is unsupported. */
    readonly pixelFormat: () => PixelFormat | undefined;
    readonly onPixels: (() => void) | undefined;
    readonly onResize?: ((width: number, height: number) => void) | undefined;
    readonly onDone: () => void;
  },
): ReadRectangles {
  const { field } = fields;
  const { onPixels, onResize, onDone } = options;
  let rectanglesLeft = 0;
  const readTight = createTightReader(fields, { pixelFormat, onDone: nextRectangle });

  function nextRectangle(): void {
    if (rectanglesLeft === 0) return onDone();
    rectanglesLeft--;
    fields.readField(12, onRectangle);
  }

  function onRectangle(): void {
    const width = field.readUInt16BE(4);
    const height = field.readUInt16BE(6);
    const encoding = field.readInt32BE(8);
    switch (encoding) {
      case encodings.raw:
        onPixels?.();
        return fields.skipBody(width * height * pixelFormat().bytesPerPixel, nextRectangle);
      case encodings.copyRect:
        onPixels?.();
        return fields.skipBody(4, nextRectangle);
      case encodings.zlib:
      case encodings.zrle:
        onPixels?.();
        return fields.readField(4, skipLength);
      case encodings.tight:
      case encodings.tightPng:
        onPixels?.();
        return readTight(encoding, width, height);
      default:
        return onPseudoEncoding(encoding, width, height);
    }
  }

  function onPseudoEncoding(encoding: number, width: number, height: number): void {
    switch (encoding) {
      case encodings.cursor: {
        const mask = Math.ceil(width / 8) * height;
        return fields.skipBody(width * height * pixelFormat().bytesPerPixel + mask, nextRectangle);
      }
      case encodings.extendedDesktopSize:
        // The second coordinate is the status of a request to resize: 0 means that it was done (rfbproto).
        if (field.readUInt16BE(2) === 0) onResize?.(width, height);
        return fields.readField(4, skipScreens);
      case encodings.desktopName:
        return fields.readField(4, skipLength);
      case encodings.qemuLedState:
        return fields.skipBody(1, nextRectangle);
      case encodings.lastRect:
        return onDone();
      case encodings.desktopSize:
        onResize?.(width, height);
        return nextRectangle();
      case encodings.qemuExtendedKey:
      case encodings.extendedMouseButtons:
        return nextRectangle();
      default:
        throw invalidMessage(`encoding ${encoding}`);
    }
  }

  function skipLength(): void {
    fields.skipBody(field.readUInt32BE(0), nextRectangle);
  }

  function skipScreens(): void {
    fields.skipBody(16 * (field[0] ?? 0), nextRectangle);
  }

  function pixelFormat(): PixelFormat {
    const format = options.pixelFormat();
    if (!format) throw invalidMessage('pixels in an unsupported format');
    return format;
  }

  return (count) => {
    rectanglesLeft = count;
    nextRectangle();
  };
}
