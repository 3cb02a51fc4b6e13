import type { Duplex } from 'node:stream';
import { createByteReader } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import { createDamage } from './damage.ts';
import type { Rect } from './damage.ts';
import { encodeRaw } from './encode-raw.ts';
import { createZrleEncoder } from './encode-zrle.ts';
import type { Framebuffer } from './framebuffer.ts';
import { readPixelFormat, writePixelFormat } from './pixel-format.ts';
import type { PixelFormat } from './pixel-format.ts';

/** The machine, as its VNC server sees it. */
export interface RfbHost {
  readonly framebuffer: Framebuffer;
  readonly desktopName: string;
  readonly format: PixelFormat;
  /** The reason sent with a refused password. */
  readonly refusal: string;
  challenge(): Buffer;
  accepts(challenge: Buffer, response: Buffer): boolean;
  /** Called after ClientInit to decide which viewers stay. `false` refuses this viewer. */
  admit(shared: boolean): boolean;
  key(keysym: number, down: boolean): void;
  pointer(x: number, y: number, buttons: number): void;
  cutText(text: string): void;
  watch(listener: () => void): () => void;
}

const version = 'RFB 003.008\n';
const vncAuthentication = 2;
const maxCutText = 1 << 20;

const encoding = { raw: 0, zrle: 16, extendedDesktopSize: -308, qemuExtendedKey: -258 } as const;

/**
 * Serves one viewer, in the order of RFC 6143. Resolves when the connection has ended. Like QEMU, it disconnects a viewer
 * that sends an unknown message.
 */
export async function serveRfb(stream: Duplex, host: RfbHost): Promise<void> {
  stream.on('error', () => {});
  try {
    const reader = createByteReader(stream);
    if (!(await handshake(stream, reader, host))) {
      // The bytes written so far must still arrive. Further messages of the viewer are ignored.
      stream.once('finish', () => stream.destroy());
      reader.release();
      stream.resume();
      stream.end();
      return;
    }
    await session(stream, reader, host);
    stream.destroy();
  } catch {
    // A viewer may disconnect in the middle of a message.
    stream.destroy();
  }
}

/** RFC 6143, sections 7.1 to 7.3. */
async function handshake(stream: Duplex, reader: ByteReader, host: RfbHost): Promise<boolean> {
  stream.write(version);
  if ((await reader.read(12)).toString('latin1') !== version) return false;
  stream.write(Buffer.from([1, vncAuthentication]));
  if ((await reader.read(1)).readUInt8() !== vncAuthentication) return false;

  const challenge = host.challenge();
  stream.write(challenge);
  if (!host.accepts(challenge, await reader.read(16))) {
    const reason = Buffer.from(host.refusal, 'latin1');
    stream.write(Buffer.concat([u32(1), u32(reason.length), reason]));
    return false;
  }
  stream.write(u32(0));

  const shared = (await reader.read(1)).readUInt8() !== 0;
  if (!host.admit(shared)) return false;
  const name = Buffer.from(host.desktopName, 'utf8');
  const { width, height } = host.framebuffer;
  stream.write(
    Buffer.concat([u16(width), u16(height), writePixelFormat(host.format), u32(name.length), name]),
  );
  return true;
}

/** RFC 6143, sections 7.5 and 7.6. */
async function session(stream: Duplex, reader: ByteReader, host: RfbHost): Promise<void> {
  const { framebuffer } = host;
  const whole: Rect = { x: 0, y: 0, width: framebuffer.width, height: framebuffer.height };
  const damage = createDamage(whole.width, whole.height);
  const keysDown = new Set<number>();
  const zrle = createZrleEncoder();
  let format = host.format;
  let compress = false;
  let asked: Rect | undefined;

  // An update is sent if the viewer requested one, the picture changed, and the viewer has read the last update.
  // So a slow viewer gets fewer updates instead of a queue of them.
  const update = () => {
    if (stream.writableNeedDrain || stream.destroyed) return;
    const parts: Buffer[] = [];
    if (asked && !damage.empty) {
      const rects = damage.take(asked);
      if (rects.length > 0) {
        asked = undefined;
        parts.push(...rects.map((rect) => encode(rect)));
      }
    }
    if (parts.length > 0) stream.write(Buffer.concat([Buffer.from([0, 0]), u16(parts.length), ...parts]));
  };

  const encode = (rect: Rect) => {
    const useful = compress && rect.width * rect.height > 1024;
    const kind = useful ? encoding.zrle : encoding.raw;
    const body = useful ? zrle(framebuffer, rect, format) : encodeRaw(framebuffer, rect, format);
    return Buffer.concat([header(rect, kind), body]);
  };

  const key = (keysym: number, down: boolean) => {
    if (down) keysDown.add(keysym);
    else keysDown.delete(keysym);
    host.key(keysym, down);
  };

  const screenLayout = (reason: number, status: number) =>
    Buffer.concat([
      header(
        { x: reason, y: status, width: whole.width, height: whole.height },
        encoding.extendedDesktopSize,
      ),
      Buffer.from([1, 0, 0, 0]),
      u32(0),
      u16(0),
      u16(0),
      u16(whole.width),
      u16(whole.height),
      u32(0),
    ]);

  /** Like QEMU, sends each in an update of its own, and at once. */
  const announce = (rectangle: Buffer) =>
    void stream.write(Buffer.concat([Buffer.from([0, 0, 0, 1]), rectangle]));

  const messages: Record<number, () => Promise<boolean>> = {
    async 0() {
      const wanted = readPixelFormat((await reader.read(19)).subarray(3));
      if (!wanted) return false;
      format = wanted;
      damage.add(whole);
      return true;
    },
    async 2() {
      const count = (await reader.read(3)).readUInt16BE(1);
      const list = await reader.read(count * 4);
      const wanted = new Set(Array.from({ length: count }, (_, i) => list.readInt32BE(i * 4)));
      compress = wanted.has(encoding.zrle);
      if (wanted.has(encoding.qemuExtendedKey)) announce(header(whole, encoding.qemuExtendedKey));
      if (wanted.has(encoding.extendedDesktopSize)) announce(screenLayout(0, 0));
      return true;
    },
    async 3() {
      const bytes = await reader.read(9);
      asked = {
        x: bytes.readUInt16BE(1),
        y: bytes.readUInt16BE(3),
        width: bytes.readUInt16BE(5),
        height: bytes.readUInt16BE(7),
      };
      if (bytes.readUInt8(0) === 0) damage.add(asked);
      update();
      return true;
    },
    async 4() {
      const bytes = await reader.read(7);
      key(bytes.readUInt32BE(3), bytes.readUInt8(0) !== 0);
      return true;
    },
    async 5() {
      const bytes = await reader.read(5);
      host.pointer(bytes.readUInt16BE(1), bytes.readUInt16BE(3), bytes.readUInt8(0));
      return true;
    },
    async 6() {
      // A negative length means the extended clipboard, which was not announced.
      const length = (await reader.read(7)).readUInt32BE(3);
      if (length > maxCutText) return false;
      host.cutText((await reader.read(length)).toString('latin1'));
      return true;
    },
    // SetDesktopSize: answered with "prohibited" (status 1), because the size of this screen is fixed.
    async 251() {
      const screens = (await reader.read(7)).readUInt8(5);
      await reader.read(screens * 16);
      announce(screenLayout(1, 1));
      return true;
    },
    // QEMU's extended key event, which QEMU accepts from every viewer. Its keysym is sufficient; the scan code is ignored.
    async 255() {
      if ((await reader.read(1)).readUInt8() !== 0) return false;
      const bytes = await reader.read(10);
      key(bytes.readUInt32BE(2), bytes.readUInt16BE(0) !== 0);
      return true;
    },
  };

  const stopFollowing = framebuffer.onDamage((rect) => damage.add(rect));
  const stopWatching = host.watch(update);
  stream.on('drain', update);
  try {
    for (;;) {
      const message = messages[(await reader.read(1)).readUInt8()];
      if (!message || !(await message())) return;
      // Reads nothing from a viewer that does not read, so that responses do not accumulate.
      if (stream.writableNeedDrain) await drained(stream);
    }
  } finally {
    stopFollowing();
    stopWatching();
    for (const keysym of keysDown) host.key(keysym, false);
  }
}

function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}

function header({ x, y, width, height }: Rect, kind: number): Buffer {
  const bytes = Buffer.alloc(12);
  [x, y, width, height].forEach((value, i) => bytes.writeUInt16BE(value, i * 2));
  bytes.writeInt32BE(kind, 8);
  return bytes;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
