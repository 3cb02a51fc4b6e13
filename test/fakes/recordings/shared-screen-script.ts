import { encodeJpeg } from '@porthole/relay/picture/encode-jpeg';
import { createPictureServer } from '@porthole/relay/picture/picture-server';
import { TileCache } from '@porthole/relay/picture/tile-cache';
import { createKeyframeRequests } from '@porthole/relay/recording/capture-keyframes';
import type { Keyframe } from '@porthole/relay/stream/keyframe';
import type { PartWriter } from '@porthole/shared/recording/write/part-writer';
import { createFakeClock } from '../clock.ts';
import type { Rect } from '../guests/damage.ts';
import { createFramebuffer } from '../guests/framebuffer.ts';
import { bgr888, writePixelFormat } from '../guests/pixel-format.ts';
import { novncFormat, pictureOf, writeText, type ScreenScript } from './screen-script.ts';
import { ignoredServerEvents } from '../../relay/picture/ignored-server-events.ts';

const tight = 7;
/** noVNC's quality level 6, as a pseudo-encoding. */
const jpegQuality = -26;
const viewer = 1;
const header = (size: number, ...fields: readonly (readonly [at: number, value: number])[]) => {
  const bytes = Buffer.alloc(size);
  for (const [at, value] of fields) bytes.writeUInt16BE(value, at);
  return bytes;
};

export interface SharedScreenScript extends ScreenScript {
  /** Resolves when the last update was sent, which waits for its JPEG. */
  sent(): Promise<void>;
}

/**
 * A machine's screen that is shared: the picture server encodes it for the viewer that is recorded, with keyframes as a
 * relay requests them. `now` is the time in milliseconds. With `jpeg`, photographic tiles are sent as JPEG first: call
 * `sent` after each update.
 */
export function startSharedScreen(
  writer: PartWriter,
  now: () => number,
  width: number,
  height: number,
  { jpeg = false }: { readonly jpeg?: boolean } = {},
): SharedScreenScript {
  const framebuffer = createFramebuffer(width, height);
  const damaged: Rect[] = [];
  framebuffer.onDamage((rect) => damaged.push(rect));
  const clock = createFakeClock(now());
  let onKeyframe: ((keyframe: Keyframe) => void) | undefined;
  let asksForKeyframe = false;
  let initialised = false;
  const encoding = new Set<Promise<Uint8Array>>();
  const server = createPictureServer({
    clock,
    cache: new TileCache(64 * 1024 * 1024),
    ...(jpeg && { encodeJpeg: encodeTracked }),
    events: {
      ...ignoredServerEvents,
      toViewers(_, message) {
        const bytes = Buffer.concat(message);
        if (initialised) {
          writer.screen(bytes);
          onScreenBytes(bytes.length);
          return;
        }
        initialised = true;
        writer.record({ type: 'init', bytes });
        writer.record({ type: 'format', bytes: writePixelFormat(novncFormat) });
      },
      toRecording: (_, keyframe) => onKeyframe?.(keyframe),
      onMachineFailed(detail) {
        throw new Error(detail);
      },
    },
  });
  const onScreenBytes = createKeyframeRequests(writer, clock, (take) => {
    onKeyframe = take;
    // Not within a call of the server.
    asksForKeyframe = true;
  });

  async function encodeTracked(...tile: Parameters<typeof encodeJpeg>): Promise<Uint8Array> {
    const file = Promise.resolve(encodeJpeg(...tile));
    encoding.add(file);
    try {
      return await file;
    } finally {
      encoding.delete(file);
    }
  }

  async function sent(): Promise<void> {
    while (encoding.size > 0) {
      await Promise.all(encoding);
      // The picture server learns of it in a later step.
      await new Promise(setImmediate);
    }
    clock.advance(0);
  }

  const send = (message: Buffer) => server.onViewerMessage(viewer, message);
  const request = () => send(header(10, [0, 0x0301], [6, width], [8, height]));

  function update(): void {
    clock.advance(now() - clock.now());
    for (const rect of damaged.splice(0)) server.onMachineBytes(rawUpdate(rect));
    clock.advance(20);
    request();
    if (asksForKeyframe) server.requestKeyframe(viewer);
    asksForKeyframe = false;
  }

  /** The picture server asks machines for blue in the lowest byte. */
  function rawUpdate({ x, y, width: columns, height: rows }: Rect): Buffer {
    const pixels = Buffer.alloc(4 * columns * rows);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const pixel = framebuffer.pixels[(y + row) * width + x + column] ?? 0;
        const swapped = ((pixel & 0xff) << 16) | (pixel & 0xff00) | ((pixel >> 16) & 0xff);
        pixels.writeUInt32LE(swapped, 4 * (row * columns + column));
      }
    return Buffer.concat([header(16, [2, 1], [4, x], [6, y], [8, columns], [10, rows]), pixels]);
  }

  server.connect('authenticated');
  server.onMachineBytes(
    Buffer.concat([header(4, [0, width], [2, height]), writePixelFormat(bgr888), Buffer.alloc(4)]),
  );
  server.addViewer(viewer, 'lab-anna');
  server.onMachineBytes(rawUpdate({ x: 0, y: 0, width, height }));
  send(Buffer.concat([Buffer.alloc(4), writePixelFormat(novncFormat)]));
  const encodings = header(12, [0, 0x0200], [2, 2], [6, tight]);
  encodings.writeInt32BE(jpegQuality, 8);
  send(encodings);
  return {
    framebuffer,
    update,
    sent,
    text: (column, row, text) => writeText(framebuffer, column, row, text),
    picture: () => pictureOf(framebuffer),
  };
}
