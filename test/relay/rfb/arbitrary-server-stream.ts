import fc from 'fast-check';
import { clipboardActions } from '@porthole/relay/rfb/clipboard-policy';
import { bytesOfLength, bytesUpTo, u16, u32 } from './bytes.ts';
import {
  compactLength,
  cutText,
  extendedCutText,
  rectangle,
  update,
  type ServerMessage,
} from './server-stream.ts';

/** Bytes per pixel, in general and in Tight rectangles. */
export interface PixelSizes {
  readonly pixel: number;
  readonly tight: number;
}

/** Messages of a VNC server that uses every encoding that the relay can parse. */
export const arbitraryServerMessages = (sizes: PixelSizes) =>
  fc.array(arbitraryMessage(sizes), { maxLength: 12 });

function arbitraryMessage(sizes: PixelSizes): fc.Arbitrary<ServerMessage> {
  const { caps, request, peek, notify, provide } = clipboardActions;
  const rectangles = fc.array(arbitraryRectangle(sizes), { maxLength: 4 });
  const colourMap = fc.array(bytesOfLength(6), { maxLength: 5 });
  const lastRect = rectangle(0, 0, -224);
  return fc.oneof(
    { weight: 4, arbitrary: rectangles.map((all) => other(update(...all))) },
    rectangles.map((all) => other(Buffer.of(0, 0, 0xff, 0xff), ...all, lastRect)),
    colourMap.map((all) => other(Buffer.of(1, 0), u16(0), u16(all.length), ...all)),
    fc.constant(other(Buffer.of(2))),
    fc.constant(other(Buffer.of(150))),
    bytesUpTo(64).chain((payload) =>
      bytesOfLength(7).map((head) => other(Buffer.of(248), head, Buffer.of(payload.length), payload)),
    ),
    bytesOfLength(3).map((rest) => other(Buffer.of(250), rest)),
    bytesUpTo(300).map(cutText),
    fc.constantFrom(request | 1, peek).map((flags) => extendedCutText(flags)),
    fc.constant(extendedCutText(caps | request | notify | provide | 1, u32(0))),
    bytesUpTo(300).map((body) => extendedCutText(provide | 1, body)),
    fc.constant(extendedCutText(notify | 1)),
  );
}

const other = (...bytes: Buffer[]): ServerMessage => ({ bytes: Buffer.concat(bytes), kind: 'other' });

const side = fc.integer({ min: 0, max: 9 });

function arbitraryRectangle(sizes: PixelSizes): fc.Arbitrary<Buffer> {
  const withBody = (encoding: number, bytes: (width: number, height: number) => number) =>
    fc
      .tuple(side, side)
      .chain(([width, height]) =>
        bytesOfLength(bytes(width, height)).map((data) => rectangle(width, height, encoding, data)),
      );
  const withoutBody = (encoding: number) => fc.tuple(side, side).map(([w, h]) => rectangle(w, h, encoding));
  return fc.oneof(
    withBody(0, (w, h) => w * h * sizes.pixel),
    withBody(1, () => 4),
    fc
      .tuple(fc.constantFrom(6, 16), bytesUpTo(300))
      .map(([encoding, data]) => rectangle(5, 5, encoding, u32(data.length), data)),
    arbitraryTightRectangle(sizes),
    fc
      .tuple(fc.constantFrom(0x8, 0x9, 0xa), bytesOfLength(sizes.tight), compressed())
      .map(([kind, pixel, data]) => rectangle(4, 4, -260, Buffer.of(kind << 4), kind === 0x8 ? pixel : data)),
    withBody(-239, (w, h) => w * h * sizes.pixel + Math.ceil(w / 8) * h),
    fc
      .integer({ min: 0, max: 4 })
      .chain((screens) =>
        bytesOfLength(3 + 16 * screens).map((rest) => rectangle(8, 8, -308, Buffer.of(screens), rest)),
      ),
    bytesUpTo(40).map((name) => rectangle(0, 0, -307, u32(name.length), name)),
    bytesOfLength(1).map((state) => rectangle(0, 0, -261, state)),
    withoutBody(-223),
    withoutBody(-258),
    withoutBody(-316),
  );
}

/** Compressed data of Tight, after its length. */
const compressed = (maxLength = 200) =>
  bytesUpTo(maxLength).map((data) => Buffer.concat([compactLength(data.length), data]));
/** Data of a basic rectangle. Short data is sent uncompressed and without its length. */
const basicData = (bytes: number) => (bytes < 12 ? bytesOfLength(bytes) : compressed(20_000));

function arbitraryTightRectangle({ tight }: PixelSizes): fc.Arbitrary<Buffer> {
  return fc.tuple(side, side, fc.integer({ min: 0, max: 15 })).chain(([width, height, streams]) => {
    const control = (kind: number) => Buffer.of((kind << 4) | streams);
    const tightRectangle = (...body: Buffer[]) => rectangle(width, height, 7, ...body);
    const pixels = basicData(width * height * tight);
    return fc.oneof(
      bytesOfLength(tight).map((pixel) => tightRectangle(control(0x8), pixel)),
      compressed().map((jpeg) => tightRectangle(control(0x9), jpeg)),
      pixels.map((data) => tightRectangle(control(0x0), data)),
      fc
        .tuple(fc.constantFrom(0, 2), pixels)
        .map(([filter, data]) => tightRectangle(control(0x4), Buffer.of(filter), data)),
      fc.integer({ min: 1, max: 256 }).chain((colours) => {
        const row = colours <= 2 ? Math.ceil(width / 8) : width;
        return fc
          .tuple(bytesOfLength(colours * tight), basicData(row * height))
          .map(([palette, data]) => tightRectangle(control(0x7), Buffer.of(1, colours - 1), palette, data));
      }),
    );
  });
}
