import type { NovncTight } from './novnc-tight.ts';
import { nativeFormat, type SampleFormat } from './sample-formats.ts';

/** What is on a viewer's screen where it was never drawn: no pixel of any format. */
export const neverDrawn = -1;

export interface ReceivedUpdate {
  /** Encodings of its rectangles. */
  readonly encodings: readonly number[];
  readonly bytes: number;
}

/** A viewer of a test: decodes what a server sends, with noVNC's decoder for Tight. */
export class TestViewer {
  format: SampleFormat = nativeFormat;
  name = '';
  width = 0;
  height = 0;
  /** In the viewer's format, row by row. */
  pixels: number[] = [];
  readonly updates: ReceivedUpdate[] = [];
  /** The last message as the server has put it together. */
  lastMessage: readonly Uint8Array[] = [];
  /** Pseudo-rectangles: their encoding, position, size and body. */
  readonly notices: {
    readonly encoding: number;
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly body: Buffer;
  }[] = [];
  colourMap: number[] | undefined;
  #initialised = false;
  readonly #createTight: (width: number, height: number) => NovncTight;
  #tight: NovncTight | undefined;

  constructor(createTight: (width: number, height: number) => NovncTight) {
    this.#createTight = createTight;
  }

  /** One complete message. */
  receive(parts: readonly Uint8Array[]): void {
    this.lastMessage = parts;
    const message = Buffer.concat(parts);
    if (!this.#initialised) return this.#init(message);
    if (message[0] === 1) {
      this.colourMap = Array.from({ length: message.readUInt16BE(4) }, (_, i) => {
        const [red = 0, green = 0, blue = 0] = [0, 2, 4].map(
          (at) => message.readUInt16BE(6 + 6 * i + at) >> 8,
        );
        return red * 65_536 + green * 256 + blue;
      });
      return;
    }
    if (message[0] !== 0) throw new Error(`message type ${message[0]}`);
    const encodings: number[] = [];
    let at = 4;
    for (let i = 0; i < message.readUInt16BE(2); i++) {
      encodings.push(message.readInt32BE(at + 8));
      at += this.#rectangle(message.subarray(at));
    }
    if (at !== message.length) throw new Error(`${message.length - at} bytes are left`);
    this.updates.push({ encodings, bytes: message.length });
  }

  #init(message: Buffer): void {
    this.#initialised = true;
    this.#resize(message.readUInt16BE(0), message.readUInt16BE(2));
    this.name = message.subarray(24).toString();
    if (message.readUInt32BE(20) !== message.length - 24) throw new Error('a name of another length');
    if (!message.subarray(4, 20).equals(nativeFormat.bytes)) throw new Error('another pixel format');
  }

  #resize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.pixels = Array.from({ length: width * height }, () => neverDrawn);
    this.#tight = this.#createTight(width, height);
  }

  /** Returns the number of its bytes. */
  #rectangle(bytes: Buffer): number {
    const [x = 0, y = 0, width = 0, height = 0] = [0, 2, 4, 6].map((at) => bytes.readUInt16BE(at));
    const encoding = bytes.readInt32BE(8);
    if (encoding >= 0 && (x + width > this.width || y + height > this.height))
      throw new Error(`a rectangle outside of the viewer's picture`);
    const notice = (length: number) => {
      this.notices.push({ encoding, x, y, width, height, body: bytes.subarray(12, 12 + length) });
      return 12 + length;
    };
    switch (encoding) {
      case 0:
        return this.#raw(bytes.subarray(12), x, y, width, height);
      case 5:
        return this.#hextile(bytes.subarray(12), x, y, width, height);
      case 7: {
        if (!this.#tight) throw new Error('Tight before ServerInit');
        const length = this.#tight.drawFirst(bytes);
        for (let row = y; row < y + height; row++)
          for (let i = row * this.width + x; i < row * this.width + x + width; i++)
            this.pixels[i] = this.format.pixelOf(this.#tight.pixels[i] ?? 0);
        return length;
      }
      case -239:
        return notice(width * height * this.format.bytesPerPixel + Math.ceil(width / 8) * height);
      case -261:
        return notice(1);
      case -258:
        return notice(0);
      case -223:
        this.#resize(width, height);
        return notice(0);
      case -308:
        if (y === 0 && (width !== this.width || height !== this.height)) this.#resize(width, height);
        return notice(4 + 16 * bytes.readUInt8(12));
      default:
        throw new Error(`encoding ${encoding}`);
    }
  }

  #raw(body: Buffer, x: number, y: number, width: number, height: number): number {
    const { bytesPerPixel } = this.format;
    for (let i = 0; i < width * height; i++)
      this.pixels[(y + Math.floor(i / width)) * this.width + x + (i % width)] = this.#pixelAt(
        body,
        i * bytesPerPixel,
      );
    return 12 + width * height * bytesPerPixel;
  }

  /** RFC 6143 section 7.7.4. */
  #hextile(body: Buffer, x: number, y: number, width: number, height: number): number {
    let at = 0;
    let background: number | undefined;
    let foreground: number | undefined;
    const pixel = () => {
      const value = this.#pixelAt(body, at);
      at += this.format.bytesPerPixel;
      return value;
    };
    for (let top = y; top < y + height; top += 16)
      for (let left = x; left < x + width; left += 16) {
        const [tileWidth, tileHeight] = [Math.min(16, x + width - left), Math.min(16, y + height - top)];
        const bits = body.readUInt8(at++);
        if (bits & 1) {
          if (bits !== 1) throw new Error('a raw tile with another subencoding');
          at += this.#raw(body.subarray(at), left, top, tileWidth, tileHeight) - 12;
          // Viewers disagree about what they have afterwards.
          background = foreground = undefined;
          continue;
        }
        if (bits & 2) background = pixel();
        if (bits & 4) foreground = pixel();
        this.#fill(left, top, tileWidth, tileHeight, background);
        const count = bits & 8 ? body.readUInt8(at++) : 0;
        for (let i = 0; i < count; i++) {
          const colour = bits & 16 ? pixel() : foreground;
          const [place, size] = [body.readUInt8(at++), body.readUInt8(at++)];
          const [partX, partY] = [place >> 4, place & 15];
          const [partWidth, partHeight] = [(size >> 4) + 1, (size & 15) + 1];
          if (partX + partWidth > tileWidth || partY + partHeight > tileHeight)
            throw new Error('a subrectangle outside of its tile');
          this.#fill(left + partX, top + partY, partWidth, partHeight, colour);
        }
        if (bits & 16) foreground = undefined;
      }
    return 12 + at;
  }

  #fill(x: number, y: number, width: number, height: number, colour: number | undefined): void {
    if (colour === undefined) throw new Error('a Hextile tile without its colour');
    for (let row = y; row < y + height; row++)
      this.pixels.fill(colour, row * this.width + x, row * this.width + x + width);
  }

  #pixelAt(body: Buffer, at: number): number {
    const { bytesPerPixel, bigEndian } = this.format;
    return bigEndian ? body.readUIntBE(at, bytesPerPixel) : body.readUIntLE(at, bytesPerPixel);
  }
}
