/** A pixel format that viewers of tests use, and the pixel that a colour is in it. */
export interface SampleFormat {
  readonly name: string;
  /** The 16 bytes of RFC 6143 section 7.4. */
  readonly bytes: Buffer;
  readonly bytesPerPixel: 1 | 2 | 4;
  readonly bigEndian: boolean;
  /** `colour` is 0x00RRGGBB. */
  pixelOf(colour: number): number;
}

type Channel = readonly [max: number, shift: number];

function trueColour(
  name: string,
  bits: 8 | 16 | 32,
  depth: number,
  bigEndian: boolean,
  channels: readonly [Channel, Channel, Channel],
): SampleFormat {
  const bytes = Buffer.alloc(16);
  bytes.set([bits, depth, bigEndian ? 1 : 0, 1]);
  channels.forEach(([max, shift], i) => {
    bytes.writeUInt16BE(max, 4 + 2 * i);
    bytes[10 + i] = shift;
  });
  return { name, bytes, bytesPerPixel: (bits / 8) as 1 | 2 | 4, bigEndian, pixelOf: pack(channels) };
}

function pack(channels: readonly [Channel, Channel, Channel]) {
  const [red = [], green = [], blue = []] = channels.map(([max, shift]) =>
    Array.from({ length: 256 }, (_, value) => Math.round((value * max) / 255) * 2 ** shift),
  );
  return (colour: number) =>
    (red[colour >> 16] ?? 0) + (green[(colour >> 8) & 255] ?? 0) + (blue[colour & 255] ?? 0);
}

export const nativeFormat = trueColour('as the machine', 32, 24, false, [
  [255, 16],
  [255, 8],
  [255, 0],
]);
/** That of noVNC. */
export const novncFormat = trueColour('as noVNC', 32, 24, false, [
  [255, 0],
  [255, 8],
  [255, 16],
]);

/** A format with a colour map: three bits of red, three of green, two of blue. */
const mapped: SampleFormat = {
  name: 'with a colour map',
  bytes: Buffer.from([8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  bytesPerPixel: 1,
  bigEndian: false,
  pixelOf: pack([
    [7, 5],
    [7, 2],
    [3, 0],
  ]),
};

export const sampleFormats: readonly SampleFormat[] = [
  nativeFormat,
  novncFormat,
  trueColour('32 bits, the highest byte first', 32, 24, true, [
    [255, 16],
    [255, 8],
    [255, 0],
  ]),
  trueColour('30 bits', 32, 30, false, [
    [1023, 20],
    [1023, 10],
    [1023, 0],
  ]),
  trueColour('16 bits', 16, 16, false, [
    [31, 11],
    [63, 5],
    [31, 0],
  ]),
  trueColour('15 bits, the highest byte first', 16, 15, true, [
    [31, 10],
    [31, 5],
    [31, 0],
  ]),
  trueColour('8 bits', 8, 8, false, [
    [7, 0],
    [7, 3],
    [3, 6],
  ]),
  mapped,
];
