import { encodings } from '../rfb/encodings.ts';
import { invalidMessage } from '../rfb/invalid-message.ts';
import { serverMessageTypes } from '../rfb/message-types.ts';
import { decodeHextile } from './decode-hextile.ts';
import { Framebuffer, type Region } from './framebuffer.ts';
import { InputBuffer } from './input-buffer.ts';
import { skipBytes, skipTight } from './skip-tight.ts';

/** Limits for what a machine may claim. */
export const screenLimits = {
  /** Width and height in pixels. */
  side: 8192,
  /** Of a framebuffer. */
  bytes: 64 * 1024 * 1024,
  /** Width and height of a cursor in pixels. QEMU's have at most 512. */
  cursorSide: 512,
  /** Of a clipboard message. */
  clipboardBytes: 1024 * 1024,
} as const;

/** The shape of the pointer. */
export interface Cursor {
  readonly hotspotX: number;
  readonly hotspotY: number;
  readonly width: number;
  readonly height: number;
  /** Four bytes per pixel: blue, green, red, unused. */
  readonly pixels: Buffer;
  /** One bit per pixel, rows padded to bytes, the highest bit first: whether the pixel is visible. */
  readonly mask: Buffer;
}

export interface ScreenDecoderEvents {
  /** The picture has another size. The framebuffer is a new one. */
  onResize(framebuffer: Framebuffer): void;
  /** An update is complete. */
  onUpdate(): void;
  onCursor(cursor: Cursor): void;
  onBell(): void;
  onCutText(text: string): void;
  /** An extended clipboard message: its flags, and what follows (rfbproto). */
  onClipboard(flags: number, body: Buffer): void;
  /** Bits of rfbproto's QEMU LED state. */
  onLedState(state: number): void;
  /** An ExtendedDesktopSize rectangle: whose request it answers (1: this client's), and the status (rfbproto). */
  onExtendedDesktopSize(reason: number, status: number): void;
  /** The machine accepts QEMU's extended key events. */
  onExtendedKeys(): void;
}

/**
 * What the relay asks of a machine: 32 bits per pixel in little-endian order, as `Framebuffer` keeps them
 * (SetPixelFormat, RFC 6143 section 7.5.1).
 */
export const setPixelFormat = Buffer.from([
  0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,
]);

/** Encodings that the decoder supports, the preferred one first. All are stateless: no zlib stream to keep. */
export const supportedEncodings: readonly number[] = [
  encodings.copyRect,
  encodings.hextile,
  encodings.raw,
  encodings.cursor,
  encodings.desktopSize,
  encodings.extendedDesktopSize,
  encodings.lastRect,
  encodings.qemuLedState,
  encodings.extendedClipboard,
  // QEMU reads the list from its end, so it acknowledges this one before anything else.
  encodings.qemuExtendedKey,
];

export interface DecoderStart {
  /** Set for a console that has sent its ServerInit already. */
  readonly size?: { readonly width: number; readonly height: number };
  /** The version of the picture before. */
  readonly version?: number;
  /** Whether to pass over rectangles in Tight that were meant for a viewer, until `refuseTight`. */
  readonly skipsTight?: boolean;
}

/**
 * Decodes what a machine sends from ServerInit on into a framebuffer (RFC 6143 section 7.6; extensions as in rfbproto).
 * The machine may be hostile: every length is checked before it is used, and nothing is allocated for what was only
 * claimed. Throws `proxmox_invalid_response`, after which the decoder must not be used.
 */
export class ScreenDecoder {
  readonly #events: ScreenDecoderEvents;
  readonly #input = new InputBuffer();
  readonly #messages: Generator<number, never, void>;
  #framebuffer: Framebuffer | undefined;
  readonly #firstVersion: number;
  #bytesNeeded = 0;
  #updating = false;
  #skipsTight: boolean;

  constructor(events: ScreenDecoderEvents, { size, version = 0, skipsTight = false }: DecoderStart = {}) {
    this.#events = events;
    this.#firstVersion = version;
    this.#skipsTight = skipsTight;
    this.#messages = this.#decode(size);
  }

  /** Whether an update has begun and is not complete. The picture then has a part of it. */
  get updating(): boolean {
    return this.#updating;
  }

  /** From now on, a rectangle in Tight is an error. */
  refuseTight(): void {
    this.#skipsTight = false;
  }

  /** Decodes as much as has arrived. */
  push(chunk: Uint8Array): void {
    this.#input.push(chunk);
    while (this.#input.length >= this.#bytesNeeded) this.#bytesNeeded = this.#messages.next().value;
  }

  *#decode(size: DecoderStart['size']): Generator<number, never, void> {
    const input = this.#input;
    if (size) this.#resize(size.width, size.height);
    else yield* this.#serverInit();
    for (;;) {
      while (input.length < 1) yield 1;
      const type = input.u8();
      switch (type) {
        case serverMessageTypes.framebufferUpdate:
          yield* this.#update();
          break;
        case serverMessageTypes.setColourMapEntries:
          while (input.length < 5) yield 5;
          input.take(3);
          yield* skipBytes(input, 6 * input.u16());
          break;
        case serverMessageTypes.bell:
          this.#events.onBell();
          break;
        case serverMessageTypes.serverCutText:
          yield* this.#cutText();
          break;
        default:
          throw invalidMessage(`message type ${type}`);
      }
    }
  }

  *#serverInit(): Generator<number, void, void> {
    const input = this.#input;
    while (input.length < 24) yield 24;
    const width = input.u16();
    const height = input.u16();
    input.take(16);
    // The name comes before the event, so that an answer to the event is not an answer to half of a message.
    yield* skipBytes(input, input.u32());
    this.#resize(width, height);
  }

  *#update(): Generator<number, void, void> {
    const input = this.#input;
    while (input.length < 3) yield 3;
    input.u8();
    const count = input.u16();
    this.#updating = true;
    this.#current.beginUpdate();
    for (let i = 0; i < count; i++) {
      while (input.length < 12) yield 12;
      const rectangle = { x: input.u16(), y: input.u16(), width: input.u16(), height: input.u16() };
      const encoding = input.i32();
      if (encoding === encodings.lastRect) break;
      yield* this.#rectangle(encoding, rectangle);
    }
    this.#updating = false;
    this.#events.onUpdate();
  }

  *#rectangle(encoding: number, rectangle: Region): Generator<number, void, void> {
    const input = this.#input;
    switch (encoding) {
      case encodings.raw:
      case encodings.copyRect:
      case encodings.hextile:
        this.#checkWithin(rectangle);
        // Before the pixels, because the rest of them may never arrive.
        this.#current.touch(rectangle);
        if (encoding === encodings.raw) yield* this.#raw(rectangle);
        else if (encoding === encodings.copyRect) yield* this.#copyRect(rectangle);
        else yield* decodeHextile(input, this.#current, rectangle);
        return;
      case encodings.tight:
        if (!this.#skipsTight) throw invalidMessage('an update in Tight');
        return yield* skipTight(input, rectangle);
      case encodings.cursor:
        return yield* this.#cursor(rectangle);
      case encodings.desktopSize:
        return this.#resize(rectangle.width, rectangle.height);
      case encodings.extendedDesktopSize: {
        while (input.length < 4) yield 4;
        const screens = input.u8();
        input.take(3);
        yield* skipBytes(input, 16 * screens);
        // `y` is the status. It is not zero if a client's request for another size was refused.
        if (rectangle.y === 0) this.#resize(rectangle.width, rectangle.height);
        return this.#events.onExtendedDesktopSize(rectangle.x, rectangle.y);
      }
      case encodings.qemuLedState:
        while (input.length < 1) yield 1;
        return this.#events.onLedState(input.u8());
      case encodings.qemuExtendedKey:
        return this.#events.onExtendedKeys();
      default:
        throw invalidMessage(`encoding ${encoding}`);
    }
  }

  *#raw({ x, y, width, height }: Region): Generator<number, void, void> {
    const bytes = 4 * width;
    for (let row = 0; row < height; row++) {
      while (this.#input.length < bytes) yield bytes;
      this.#current.drawRow(x, y + row, width, this.#input.take(bytes), 0);
    }
  }

  *#copyRect({ x, y, width, height }: Region): Generator<number, void, void> {
    const input = this.#input;
    while (input.length < 4) yield 4;
    const source = { x: input.u16(), y: input.u16(), width, height };
    this.#checkWithin(source);
    this.#current.copyRegion(source, x, y);
  }

  *#cursor({ x, y, width, height }: Region): Generator<number, void, void> {
    const input = this.#input;
    if (width > screenLimits.cursorSide || height > screenLimits.cursorSide)
      throw invalidMessage(`a cursor of ${width} by ${height}`);
    const pixelBytes = 4 * width * height;
    const maskBytes = Math.ceil(width / 8) * height;
    while (input.length < pixelBytes + maskBytes) yield pixelBytes + maskBytes;
    const pixels = Buffer.from(input.take(pixelBytes));
    const mask = Buffer.from(input.take(maskBytes));
    this.#events.onCursor({ hotspotX: x, hotspotY: y, width, height, pixels, mask });
  }

  *#cutText(): Generator<number, void, void> {
    const input = this.#input;
    while (input.length < 7) yield 7;
    input.take(3);
    // A negative length marks an extended clipboard message; its absolute value is the length.
    const length = input.i32();
    const bytes = Math.abs(length);
    if (bytes > screenLimits.clipboardBytes) throw invalidMessage(`a clipboard message of ${bytes} bytes`);
    if (length < 0 && bytes < 4) throw invalidMessage('an extended clipboard message without flags');
    while (input.length < bytes) yield bytes;
    if (length < 0) this.#events.onClipboard(input.i32(), Buffer.from(input.take(bytes - 4)));
    else this.#events.onCutText(input.take(bytes).toString('latin1'));
  }

  get #current(): Framebuffer {
    if (!this.#framebuffer) throw invalidMessage('a message before ServerInit');
    return this.#framebuffer;
  }

  #resize(width: number, height: number): void {
    const { side, bytes } = screenLimits;
    if (width > side || height > side || 4 * width * height > bytes)
      throw invalidMessage(`a picture of ${width} by ${height}`);
    if (this.#framebuffer?.width === width && this.#framebuffer.height === height) return;
    const version = this.#framebuffer?.version ?? this.#firstVersion;
    this.#framebuffer = new Framebuffer(width, height, version);
    this.#events.onResize(this.#framebuffer);
  }

  #checkWithin({ x, y, width, height }: Region): void {
    const { width: right, height: bottom } = this.#current;
    if (x + width > right || y + height > bottom)
      throw invalidMessage(`a rectangle of ${width} by ${height} at ${x}, ${y} outside of the picture`);
  }
}
