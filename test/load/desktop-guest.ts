import { timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { createByteReader, type ByteReader } from '../fakes/guests/byte-reader.ts';
import { encodeHextile } from '../fakes/guests/encode-hextile.ts';
import { createFramebuffer, rgb, type Framebuffer } from '../fakes/guests/framebuffer.ts';
import type { Guest } from '../fakes/guests/guest.ts';
import { linkedPair } from '../fakes/guests/linked-pair.ts';
import { bgr888, writePixelFormat } from '../fakes/guests/pixel-format.ts';
import { createStopListeners } from '../fakes/guests/stop-listeners.ts';
import { vncResponse } from '../fakes/guests/vnc-des.ts';
import { u16, u32 } from '../relay/rfb/bytes.ts';
import { createSeededRandom } from '../relay/seeded-random.ts';

/** Quarters of the desktop that are encoded once and sent in turn. */
const preparedUpdates = 16;
const qemuExtendedKey = -258;

export interface DesktopGuest extends Guest {
  /** Updates per second: each draws a quarter of the screen, if a client has requested one. 0: a still picture. */
  setActivity(updatesPerSecond: number): void;
  connections(): number;
  /** Bytes of updates so far. */
  sentBytes(): number;
  /** Bytes of one update. */
  readonly updateBytes: number;
}

/**
 * A machine with a desktop full of text windows. Its VNC server supports 32 bits per pixel in Hextile, acknowledges QEMU's
 * extended keys and ignores input. All updates were encoded before, so that it costs next to nothing.
 */
export function createDesktopGuest({ width, height }: { width: number; height: number }): DesktopGuest {
  const clients = new Map<Duplex, { requested: boolean }>();
  const stopped = createStopListeners();
  let running = false;
  let password = '';
  let next = 0;
  let sentBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const random = createSeededRandom(1);
  const framebuffer = createFramebuffer(width, height);
  const quarters = Array.from({ length: preparedUpdates }, (_, index) => {
    const quarter = {
      x: index % 2 === 0 ? 0 : width / 2,
      y: index % 4 < 2 ? 0 : height / 2,
      width: width / 2,
      height: height / 2,
    };
    return { ...quarter, bytes: drawWindow(framebuffer, quarter, random) };
  });
  const whole = encodeUpdate(framebuffer, { x: 0, y: 0, width, height });

  const setActivity = (updatesPerSecond: number) => {
    clearInterval(timer);
    if (updatesPerSecond > 0) timer = setInterval(sendNext, 1000 / updatesPerSecond);
  };

  function sendNext(): void {
    const { bytes } = quarters[next++ % quarters.length]!;
    for (const [stream, client] of clients) {
      if (!client.requested || stream.writableNeedDrain) continue;
      client.requested = false;
      stream.write(bytes);
      sentBytes += bytes.length;
    }
  }

  function halt(): void {
    if (!running) return;
    running = false;
    for (const stream of clients.keys()) stream.destroy();
    clients.clear();
    stopped.notify();
  }

  async function serve(stream: Duplex): Promise<void> {
    const reader = createByteReader(stream);
    stream.write('RFB 003.008\n');
    await reader.read(12);
    stream.write(Buffer.from([1, 2]));
    await reader.read(1);
    const challenge = Buffer.alloc(16, 7);
    stream.write(challenge);
    if (!timingSafeEqual(vncResponse(password, challenge), await reader.read(16))) {
      stream.end(Buffer.concat([u32(1), u32(0)]));
      return;
    }
    stream.write(u32(0));
    await reader.read(1);
    stream.write(Buffer.concat([u16(width), u16(height), writePixelFormat(bgr888), u32(0)]));
    const client = { requested: false };
    clients.set(stream, client);
    for (;;) await readMessage(stream, reader, client);
  }

  async function readMessage(
    stream: Duplex,
    reader: ByteReader,
    client: { requested: boolean },
  ): Promise<void> {
    const type = (await reader.read(1)).readUInt8();
    switch (type) {
      case 0:
        await reader.read(19);
        return;
      case 2: {
        const count = (await reader.read(3)).readUInt16BE(1);
        const list = await reader.read(4 * count);
        const offered = Array.from({ length: count }, (_, i) => list.readInt32BE(4 * i));
        if (offered.includes(qemuExtendedKey))
          stream.write(
            Buffer.concat([
              Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]),
              u16(width),
              u16(height),
              u32(qemuExtendedKey),
            ]),
          );
        return;
      }
      case 3:
        if ((await reader.read(9)).readUInt8() === 0) {
          stream.write(whole);
          sentBytes += whole.length;
        } else client.requested = true;
        return;
      case 4:
        await reader.read(7);
        return;
      case 5:
        await reader.read(5);
        return;
      case 6:
        await reader.read(Math.abs((await reader.read(7)).readInt32BE(3)));
        return;
      case 255:
        await reader.read(11);
        return;
      default:
        throw new Error(`message ${type}`);
    }
  }

  return {
    get running() {
      return running;
    },
    updateBytes: quarters.reduce((sum, { bytes }) => sum + bytes.length, 0) / quarters.length,
    setActivity,
    connections: () => clients.size,
    sentBytes: () => sentBytes,
    async start() {
      running = true;
    },
    async stop() {
      halt();
    },
    async shutdown() {
      halt();
    },
    async reset() {},
    async setPassword(text) {
      password = text;
    },
    async connect() {
      if (!running) throw new Error('the machine is not running');
      const [server, client] = linkedPair();
      server.once('close', () => clients.delete(server));
      serve(server).catch(() => server.destroy());
      return client;
    },
    onStopped: (listener) => stopped.add(listener),
    async close() {
      clearInterval(timer);
      halt();
    },
  };
}

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Draws a window with a title and lines of text, in the colours of a terminal or an editor. Returns the update. */
function drawWindow(framebuffer: Framebuffer, rect: Rect, random: (below: number) => number): Buffer {
  const dark = random(2) === 0;
  const background = rgb(dark ? 0x1e1e2e : 0xfafafa);
  const inks = (
    dark ? [0xcdd6f4, 0x89b4fa, 0xa6e3a1, 0xf38ba8] : [0x202020, 0x0050a0, 0x207020, 0xa02020]
  ).map(rgb);
  framebuffer.fill(rect.x, rect.y, rect.width, rect.height, rgb(0x3a6ea5));
  framebuffer.fill(rect.x + 8, rect.y + 8, rect.width - 16, 20, rgb(0xd0d0d0));
  framebuffer.fill(rect.x + 8, rect.y + 28, rect.width - 16, rect.height - 36, background);
  for (let y = rect.y + 32; y < rect.y + rect.height - 24; y += 16) {
    const ink = inks[random(inks.length)]!;
    const length = random(Math.floor(rect.width / 8) - 4);
    for (let i = 0; i < length; i++)
      framebuffer.cell(rect.x + 16 + 8 * i, y, 33 + random(93), 'regular', ink, background);
  }
  return encodeUpdate(framebuffer, rect);
}

function encodeUpdate(framebuffer: Framebuffer, { x, y, width, height }: Rect): Buffer {
  return Buffer.concat([
    Buffer.from([0, 0, 0, 1]),
    ...[x, y, width, height].map(u16),
    u32(5),
    encodeHextile(framebuffer, { x, y, width, height }, bgr888),
  ]);
}
