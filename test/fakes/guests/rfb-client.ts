import type { Duplex } from 'node:stream';
import { createByteReader } from './byte-reader.ts';
import { vncResponse } from './vnc-des.ts';

/** A VNC viewer for tests: RFB 3.8, Raw encoding only, pixels as bytes R, G, B, unused. */
export interface RfbClient {
  readonly name: string;
  /** The size of the desktop, updated by DesktopSize. */
  readonly width: number;
  readonly height: number;
  /** Pseudo-encodings that the server announced (such as -258), in order. */
  readonly announced: ReadonlySet<number>;
  requestUpdate(incremental?: boolean): void;
  /** Applies the next FramebufferUpdate to `framebuffer`, and resolves to its number of rectangles. */
  nextUpdate(): Promise<number>;
  readonly framebuffer: Buffer;
  /** Presses and releases one key. */
  key(keysym: number): void;
  keyEvent(keysym: number, down: boolean): void;
  /** QEMU's extended key event, for servers that announced -258. */
  extendedKeyEvent(keysym: number, scanCode: number, down: boolean): void;
  /** Presses and releases a key per character. `\n` is Enter. */
  type(text: string): void;
  pointer(x: number, y: number, mask: number): void;
  cutText(text: string): void;
  /** A message of the extended clipboard. */
  extendedCutText(flags: number, body?: Buffer): void;
  /** The server's clipboard messages so far: plain text or messages of the extended clipboard. */
  readonly cutTexts: readonly ServerCutText[];
  send(bytes: Buffer): void;
  /** Resolves when the connection has ended, from either side. */
  readonly closed: Promise<void>;
  close(): void;
}

/** `flags` is undefined for plain text. */
export interface ServerCutText {
  readonly flags: number | undefined;
  readonly body: Buffer;
}

export interface RfbClientOptions {
  password?: string;
  shared?: boolean;
  encodings?: number[];
}

/** The server refused the password or the connection. `reason` is its text, including a zero byte at the end. */
export class RfbRefused extends Error {
  override name = 'RfbRefused';
  readonly reason: string;
  constructor(reason: string) {
    super(`the VNC server refused: ${reason}`);
    this.reason = reason;
  }
}

export const encodings = {
  raw: 0,
  desktopSize: -223,
  qemuExtendedKey: -258,
  extendedDesktopSize: -308,
  extendedClipboard: 0xc0_a1_e5_ce | 0,
} as const;

/** Does the handshake (RFC 6143, sections 7.1 to 7.3) and requests Raw and a fixed pixel format. */
export async function openRfb(stream: Duplex, options: RfbClientOptions = {}): Promise<RfbClient> {
  try {
    return await open(stream, options);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

async function open(
  stream: Duplex,
  {
    password,
    shared = true,
    encodings: wanted = [encodings.raw, encodings.desktopSize],
  }: RfbClientOptions = {},
): Promise<RfbClient> {
  stream.on('error', () => {});
  const reader = createByteReader(stream);
  const refused = async () => {
    const length = (await reader.read(4)).readUInt32BE();
    return new RfbRefused((await reader.read(length)).toString('latin1'));
  };

  const version = (await reader.read(12)).toString('latin1');
  if (!version.startsWith('RFB 003.')) throw new Error(`not an RFB server: ${JSON.stringify(version)}`);
  stream.write('RFB 003.008\n');
  const count = (await reader.read(1)).readUInt8();
  if (count === 0) throw await refused();
  const types = [...(await reader.read(count))];
  if (password === undefined) {
    if (!types.includes(1))
      throw new Error(`the server wants a password (security types ${types.join(', ')})`);
    stream.write(Buffer.from([1]));
  } else {
    if (!types.includes(2))
      throw new Error(`no VNC authentication offered (security types ${types.join(', ')})`);
    stream.write(Buffer.from([2]));
    stream.write(vncResponse(password, await reader.read(16)));
  }
  if ((await reader.read(4)).readUInt32BE() !== 0) throw await refused();

  stream.write(Buffer.from([shared ? 1 : 0]));
  const init = await reader.read(24);
  let width = init.readUInt16BE(0);
  let height = init.readUInt16BE(2);
  const name = (await reader.read(init.readUInt32BE(20))).toString('utf8');
  let framebuffer = Buffer.alloc(width * height * 4);
  const announced = new Set<number>();
  const cutTexts: ServerCutText[] = [];

  // SetPixelFormat: 32 bits, little endian, bytes in the order R, G, B.
  stream.write(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]));
  const list = Buffer.alloc(4 + wanted.length * 4);
  list[0] = 2;
  list.writeUInt16BE(wanted.length, 2);
  wanted.forEach((encoding, i) => list.writeInt32BE(encoding, 4 + i * 4));
  stream.write(list);

  const resize = (newWidth: number, newHeight: number) => {
    if (newWidth === width && newHeight === height) return;
    width = newWidth;
    height = newHeight;
    framebuffer = Buffer.alloc(width * height * 4);
  };

  const rectangle = async () => {
    const header = await reader.read(12);
    const [x = 0, y = 0, w = 0, h = 0] = [0, 2, 4, 6].map((at) => header.readUInt16BE(at));
    const encoding = header.readInt32BE(8);
    if (encoding < 0) announced.add(encoding);
    if (encoding === encodings.raw) {
      const pixels = await reader.read(w * h * 4);
      for (let row = 0; row < h; row++) {
        pixels.copy(framebuffer, ((y + row) * width + x) * 4, row * w * 4, (row + 1) * w * 4);
      }
    } else if (encoding === encodings.desktopSize) {
      resize(w, h);
    } else if (encoding === encodings.extendedDesktopSize) {
      const screens = (await reader.read(4)).readUInt8();
      await reader.read(screens * 16);
      if (y === 0) resize(w, h);
    } else if (encoding !== encodings.qemuExtendedKey) {
      throw new Error(`an encoding that was not asked for: ${encoding}`);
    }
  };

  /** Reads one message of the server. Returns the number of rectangles if it is an update. */
  const message = async () => {
    const type = (await reader.read(1)).readUInt8();
    if (type === 0) {
      const rectangles = (await reader.read(3)).readUInt16BE(1);
      for (let i = 0; i < rectangles; i++) await rectangle();
      return rectangles;
    }
    if (type === 1) {
      const colors = (await reader.read(5)).readUInt16BE(3);
      await reader.read(colors * 6);
    } else if (type === 3) {
      const length = (await reader.read(7)).readInt32BE(3);
      const flags = length < 0 ? (await reader.read(4)).readInt32BE(0) : undefined;
      cutTexts.push({ flags, body: await reader.read(Math.abs(length) - (length < 0 ? 4 : 0)) });
    } else if (type !== 2) {
      throw new Error(`unknown server message ${type}`);
    }
    return undefined;
  };

  // Reads all the time, to notice the end of the connection at once. Only counts accumulate, because a server sends
  // no update without a request.
  const updates: number[] = [];
  let waiting: PromiseWithResolvers<number> | undefined;
  let over: unknown;
  const pump = async () => {
    try {
      for (;;) {
        const rectangles = await message();
        if (rectangles === undefined) continue;
        if (waiting) waiting.resolve(rectangles);
        else updates.push(rectangles);
        waiting = undefined;
      }
    } catch (error) {
      over = error;
      waiting?.reject(error);
      stream.destroy();
    }
  };
  const closed = pump();

  const client: RfbClient = {
    name,
    closed,
    announced,
    cutTexts,
    get width() {
      return width;
    },
    get height() {
      return height;
    },
    get framebuffer() {
      return framebuffer;
    },
    requestUpdate(incremental = true) {
      const bytes = Buffer.alloc(10);
      bytes[0] = 3;
      bytes[1] = incremental ? 1 : 0;
      bytes.writeUInt16BE(width, 6);
      bytes.writeUInt16BE(height, 8);
      stream.write(bytes);
    },
    async nextUpdate() {
      const ready = updates.shift();
      if (ready !== undefined) return ready;
      if (over !== undefined) throw over;
      waiting ??= Promise.withResolvers<number>();
      return waiting.promise;
    },
    keyEvent(keysym, down) {
      const bytes = Buffer.alloc(8);
      bytes[0] = 4;
      bytes[1] = down ? 1 : 0;
      bytes.writeUInt32BE(keysym, 4);
      stream.write(bytes);
    },
    extendedKeyEvent(keysym, scanCode, down) {
      const bytes = Buffer.alloc(12);
      bytes[0] = 255;
      bytes.writeUInt16BE(down ? 1 : 0, 2);
      bytes.writeUInt32BE(keysym, 4);
      bytes.writeUInt32BE(scanCode, 8);
      stream.write(bytes);
    },
    key(keysym) {
      client.keyEvent(keysym, true);
      client.keyEvent(keysym, false);
    },
    type(text) {
      for (const character of text) client.key(character === '\n' ? 0xff0d : (character.codePointAt(0) ?? 0));
    },
    pointer(x, y, mask) {
      const bytes = Buffer.alloc(6);
      bytes[0] = 5;
      bytes[1] = mask;
      bytes.writeUInt16BE(x, 2);
      bytes.writeUInt16BE(y, 4);
      stream.write(bytes);
    },
    cutText(text) {
      const body = Buffer.from(text, 'latin1');
      const head = Buffer.alloc(8);
      head[0] = 6;
      head.writeUInt32BE(body.length, 4);
      stream.write(Buffer.concat([head, body]));
    },
    extendedCutText(flags, body = Buffer.alloc(0)) {
      const head = Buffer.alloc(12);
      head[0] = 6;
      head.writeInt32BE(-4 - body.length, 4);
      head.writeInt32BE(flags, 8);
      stream.write(Buffer.concat([head, body]));
    },
    send: (bytes) => void stream.write(bytes),
    close: () => void stream.destroy(),
  };
  return client;
}
