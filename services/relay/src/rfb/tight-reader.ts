import { encodings } from './encodings.ts';
import type { FieldReader } from './field-reader.ts';
import { invalidMessage } from './invalid-message.ts';
import type { PixelFormat } from './pixel-format.ts';

/** Shorter data is sent uncompressed and without its length. */
const minCompressedBytes = 12;

/** Compression control: the upper four bits of a rectangle's first byte. Below `fill`, the compression is basic. */
const compression = { filterFlag: 0x4, fill: 0x8, jpeg: 0x9, png: 0xa } as const;
const filters = { copy: 0, palette: 1, gradient: 2 } as const;

/** Reads the body of one rectangle with the encoding Tight or TightPNG (rfbproto). */
export type ReadTight = (encoding: number, width: number, height: number) => void;

/** Passes over the bodies of Tight rectangles. `onDone` is called after each. */
export function createTightReader(
  fields: FieldReader,
  options: { readonly pixelFormat: () => PixelFormat; readonly onDone: () => void },
): ReadTight {
  const { field } = fields;
  const { onDone } = options;
  let rectangle = { isPng: false, width: 0, height: 0 };

  function onControl(): void {
    const control = (field[0] ?? 0) >> 4;
    const { isPng } = rectangle;
    if (control === compression.fill) return fields.skipBody(bytesPerPixel(), onDone);
    if (control === compression.jpeg || (control === compression.png && isPng)) return skipCompressed();
    if (control >= compression.fill || isPng) throw invalidMessage(`Tight compression ${control}`);
    if ((control & compression.filterFlag) === 0) return skipPixels();
    fields.readField(1, onFilter);
  }

  function onFilter(): void {
    const filter = field[0] ?? 0;
    if (filter === filters.palette) fields.readField(1, onPaletteSize);
    else if (filter === filters.copy || filter === filters.gradient) skipPixels();
    else throw invalidMessage(`Tight filter ${filter}`);
  }

  function onPaletteSize(): void {
    const colours = (field[0] ?? 0) + 1;
    const { width, height } = rectangle;
    const bytesPerRow = colours <= 2 ? Math.ceil(width / 8) : width;
    fields.skipBody(colours * bytesPerPixel(), () => skipData(bytesPerRow * height));
  }

  function skipPixels(): void {
    skipData(rectangle.width * rectangle.height * bytesPerPixel());
  }

  /** `bytes` is the length before compression. */
  function skipData(bytes: number): void {
    if (bytes < minCompressedBytes) fields.skipBody(bytes, onDone);
    else skipCompressed();
  }

  /** Passes over data after its length: one to three bytes with seven bits each, but eight in the third. */
  function skipCompressed(length = 0, index = 0): void {
    fields.readField(1, () => {
      const byte = field[0] ?? 0;
      const isLast = index === 2 || byte < 0x80;
      const sum = length + ((index < 2 ? byte & 0x7f : byte) << (7 * index));
      if (isLast) fields.skipBody(sum, onDone);
      else skipCompressed(sum, index + 1);
    });
  }

  function bytesPerPixel(): number {
    const bytes = options.pixelFormat().bytesPerTightPixel;
    if (bytes === undefined) throw invalidMessage('Tight in a pixel format whose size is ambiguous');
    return bytes;
  }

  return (encoding, width, height) => {
    rectangle = { isPng: encoding === encodings.tightPng, width, height };
    fields.readField(1, onControl);
  };
}
