import fc from 'fast-check';
import { clipboardActions } from '@porthole/relay/rfb/clipboard-policy';

/** Makes what VNC servers send, for tests: each message with what of it may reach a viewer without a clipboard. */
export interface ServerMessage {
  readonly bytes: Buffer;
  readonly kind: 'other' | 'text' | 'words';
}

export const u16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
export const u32 = (value: number) =>
  Buffer.from([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);

/** 16 bytes as RFC 6143 section 7.4 has them. */
export function pixelFormatBytes(format: {
  readonly bits: number;
  readonly depth?: number;
  readonly trueColour?: boolean;
  readonly max?: readonly [number, number, number];
}): Buffer {
  const { bits, depth = 24, trueColour = true, max = [255, 255, 255] } = format;
  return Buffer.concat([
    Buffer.of(bits, depth, 0, trueColour ? 1 : 0),
    ...max.map(u16),
    Buffer.of(16, 8, 0, 0, 0, 0),
  ]);
}

export function serverInit(format: Buffer, name = 'QEMU (lab-100)'): Buffer {
  return Buffer.concat([u16(800), u16(600), format, u32(name.length), Buffer.from(name)]);
}

/** The sizes of a pixel, in general and in Tight. */
export interface Sizes {
  readonly pixel: number;
  readonly tight: number;
}

const some = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const upTo = (most: number) => fc.uint8Array({ maxLength: most }).map((bytes) => Buffer.from(bytes));
const side = fc.integer({ min: 0, max: 9 });

function rect(width: number, height: number, encoding: number, ...body: Buffer[]): Buffer {
  return Buffer.concat([u16(3), u16(4), u16(width), u16(height), u32(encoding), ...body]);
}

/** Tight's length of one to three bytes. */
export function compact(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  if (length < 0x4000) return Buffer.of((length & 0x7f) | 0x80, length >> 7);
  return Buffer.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14);
}

const packed = (most = 200) => upTo(most).map((data) => Buffer.concat([compact(data.length), data]));
/** Data of a basic rectangle: short ones are sent as they are. */
const tightData = (bytes: number) => (bytes < 12 ? some(bytes) : packed(20_000));

function aTightRect({ tight }: Sizes): fc.Arbitrary<Buffer> {
  return fc.tuple(side, side, fc.integer({ min: 0, max: 15 })).chain(([width, height, streams]) => {
    const control = (kind: number) => Buffer.of((kind << 4) | streams);
    const made = (...body: Buffer[]) => rect(width, height, 7, ...body);
    const copied = tightData(width * height * tight);
    return fc.oneof(
      some(tight).map((pixel) => made(control(0x8), pixel)),
      packed().map((jpeg) => made(control(0x9), jpeg)),
      copied.map((data) => made(control(0x0), data)),
      fc
        .tuple(fc.constantFrom(0, 2), copied)
        .map(([filter, data]) => made(control(0x4), Buffer.of(filter), data)),
      fc.integer({ min: 1, max: 256 }).chain((colours) => {
        const row = colours <= 2 ? Math.ceil(width / 8) : width;
        return fc
          .tuple(some(colours * tight), tightData(row * height))
          .map(([palette, data]) => made(control(0x7), Buffer.of(1, colours - 1), palette, data));
      }),
    );
  });
}

function aRect(sizes: Sizes): fc.Arbitrary<Buffer> {
  const sized = (encoding: number, bytes: (width: number, height: number) => number) =>
    fc
      .tuple(side, side)
      .chain(([width, height]) =>
        some(bytes(width, height)).map((data) => rect(width, height, encoding, data)),
      );
  const bare = (encoding: number) => fc.tuple(side, side).map(([w, h]) => rect(w, h, encoding));
  return fc.oneof(
    sized(0, (w, h) => w * h * sizes.pixel),
    sized(1, () => 4),
    fc
      .tuple(fc.constantFrom(6, 16), upTo(300))
      .map(([encoding, data]) => rect(5, 5, encoding, u32(data.length), data)),
    aTightRect(sizes),
    fc
      .tuple(fc.constantFrom(0x8, 0x9, 0xa), some(sizes.tight), packed())
      .map(([kind, pixel, data]) => rect(4, 4, -260, Buffer.of(kind << 4), kind === 0x8 ? pixel : data)),
    sized(-239, (w, h) => w * h * sizes.pixel + Math.ceil(w / 8) * h),
    fc
      .integer({ min: 0, max: 4 })
      .chain((screens) => some(3 + 16 * screens).map((rest) => rect(8, 8, -308, Buffer.of(screens), rest))),
    upTo(40).map((name) => rect(0, 0, -307, u32(name.length), name)),
    some(1).map((state) => rect(0, 0, -261, state)),
    bare(-223),
    bare(-258),
    bare(-316),
  );
}

const other = (...bytes: Buffer[]): ServerMessage => ({ bytes: Buffer.concat(bytes), kind: 'other' });

export const cutText = (text: Buffer): ServerMessage => ({
  bytes: Buffer.concat([Buffer.of(3, 0, 0, 0), u32(text.length), text]),
  kind: 'text',
});

/** A message of the extended clipboard. */
export function extended(flags: number, body: Buffer = Buffer.alloc(0)): ServerMessage {
  const words = (flags & (clipboardActions.notify | clipboardActions.provide)) === 0;
  return {
    bytes: Buffer.concat([Buffer.of(3, 0, 0, 0), u32(-4 - body.length), u32(flags), body]),
    kind: (flags & clipboardActions.caps) !== 0 || words ? 'words' : 'text',
  };
}

const { caps, request, peek, notify, provide } = clipboardActions;

function aMessage(sizes: Sizes): fc.Arbitrary<ServerMessage> {
  const rects = fc.array(aRect(sizes), { maxLength: 4 });
  return fc.oneof(
    { weight: 4, arbitrary: rects.map((all) => other(Buffer.of(0, 0), u16(all.length), ...all)) },
    rects.map((all) => other(Buffer.of(0, 0, 0xff, 0xff), ...all, rect(0, 0, -224))),
    fc.array(some(6), { maxLength: 5 }).map((all) => other(Buffer.of(1, 0), u16(0), u16(all.length), ...all)),
    fc.constant(other(Buffer.of(2))),
    fc.constant(other(Buffer.of(150))),
    upTo(64).chain((payload) =>
      some(7).map((head) => other(Buffer.of(248), head, Buffer.of(payload.length), payload)),
    ),
    some(3).map((rest) => other(Buffer.of(250), rest)),
    upTo(300).map(cutText),
    fc.constantFrom(request | 1, peek).map((flags) => extended(flags)),
    fc.constant(extended(caps | request | notify | provide | 1, u32(0))),
    upTo(300).map((body) => extended(provide | 1, body)),
    fc.constant(extended(notify | 1)),
  );
}

export const aConversation = (sizes: Sizes) => fc.array(aMessage(sizes), { maxLength: 12 });
