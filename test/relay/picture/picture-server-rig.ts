import { createPictureServer, type ReadablePictureServer } from '@porthole/relay/picture/picture-server';
import { TileCache } from '@porthole/relay/picture/tile-cache';
import type { EncodeJpeg } from '@porthole/relay/picture/encoded-tiles';
import type { ThumbnailImage } from '@porthole/relay/picture/thumbnails';
import type { Keyframe } from '@porthole/relay/stream/keyframe';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { u16, u32 } from '../rfb/bytes.ts';
import { update } from '../rfb/server-stream.ts';
import { createSeededRandom, type SeededRandom } from '../seeded-random.ts';
import { DrawnPicture } from './drawn-picture.ts';
import { loadNovncTight, type DecodeJpeg } from './novnc-tight.ts';
import { TestViewer } from './test-viewer.ts';
import type { SampleFormat } from './sample-formats.ts';

export function rawRectangle(
  x: number,
  y: number,
  width: number,
  height: number,
  colours: readonly number[],
): Buffer {
  const pixels = Buffer.alloc(4 * colours.length);
  colours.forEach((colour, i) => pixels.writeUInt32LE(colour, 4 * i));
  return Buffer.concat([u16(x), u16(y), u16(width), u16(height), u32(0), pixels]);
}

/** What noVNC offers, without quality levels. */
export const novncEncodings = [7, 0, -223, -258, -261, -308, -239] as const;

export const setEncodings = (encodings: readonly number[]) =>
  Buffer.concat([Buffer.of(2, 0), u16(encodings.length), ...encodings.map((each) => u32(each))]);
export const setPixelFormat = (format: SampleFormat) => Buffer.concat([Buffer.alloc(4), format.bytes]);
export const updateRequest = (incremental: boolean, x = 0, y = 0, width = 65_535, height = 65_535) =>
  Buffer.concat([Buffer.of(3, incremental ? 1 : 0), u16(x), u16(y), u16(width), u16(height)]);

/** A file of a fake encoder: the pixels without their lowest three bits, behind a byte. */
export const fakeJpeg = (pixels: Uint8Array): Uint8Array =>
  Uint8Array.from([0x4a, ...pixels.map((value) => value & 0xf8)]);
export const decodeFakeJpeg: DecodeJpeg = (file) => {
  if (file[0] !== 0x4a) throw new Error('not a file of the fake encoder');
  return file.subarray(1);
};

export interface SentThumbnail extends ThumbnailImage {
  readonly id: number;
}

export interface SentKeyframe extends Keyframe {
  readonly id: number;
}

/** A picture server between a machine that is drawn at random and viewers that decode what they get. */
export interface PictureServerRig {
  readonly server: ReadablePictureServer;
  readonly clock: FakeClock;
  readonly viewers: Map<number, TestViewer>;
  /** What the server told its surroundings. */
  readonly events: string[];
  /** Messages for the machine, of which the last requests are not answered yet. */
  readonly toMachine: Buffer[];
  readonly thumbnails: SentThumbnail[];
  readonly keyframes: SentKeyframe[];
  addViewer(id: number, encodings?: readonly number[]): TestViewer;
  send(id: number, message: Buffer): void;
  setFormat(id: number, format: SampleFormat): void;
}

interface RigOptions {
  readonly cacheBytes?: number;
  readonly encodeJpeg?: EncodeJpeg;
}

export async function createPictureServerRig({
  cacheBytes = 8 * 1024 * 1024,
  encodeJpeg,
}: RigOptions = {}): Promise<PictureServerRig> {
  const createTight = await loadNovncTight();
  const clock = createFakeClock();
  const viewers = new Map<number, TestViewer>();
  const events: string[] = [];
  const toMachine: Buffer[] = [];
  const thumbnails: SentThumbnail[] = [];
  const keyframes: SentKeyframe[] = [];
  const server = createPictureServer({
    clock,
    cache: new TileCache(cacheBytes),
    ...(encodeJpeg ? { encodeJpeg } : {}),
    events: {
      toViewers(ids, message) {
        for (const id of ids) viewers.get(id)?.receive(message);
      },
      toRecording: (id, keyframe) => void keyframes.push({ id, ...keyframe }),
      toThumbnail: (id, thumbnail) => void thumbnails.push({ id, ...thumbnail }),
      toMachine: (message) => void toMachine.push(Buffer.from(message)),
      onPicture: () => void events.push('picture'),
      onSize: ({ width, height, resizable }) =>
        void events.push(`size ${width}x${height}${resizable ? ' resizable' : ''}`),
      onResizeStatus: (status) => void events.push(`resize status ${status}`),
      onBell: () => void events.push('bell'),
      onCutText: (text) => void events.push(`text ${text}`),
      onClipboard: (flags) => void events.push(`clipboard ${flags}`),
      onExtendedKeys: () => void events.push('extended keys'),
      onMachineFailed: (detail) => void events.push(`failed: ${detail}`),
    },
  });
  return {
    server,
    clock,
    viewers,
    events,
    toMachine,
    thumbnails,
    keyframes,
    addViewer(id, encodings) {
      const viewer = new TestViewer((width, height) => createTight(width, height, decodeFakeJpeg));
      viewers.set(id, viewer);
      server.addViewer(id, `machine ${id}`);
      if (encodings) server.onViewerMessage(id, setEncodings(encodings));
      return viewer;
    },
    send: (id, message) => server.onViewerMessage(id, message),
    setFormat(id, format) {
      const viewer = viewers.get(id);
      if (viewer) viewer.format = format;
      server.onViewerMessage(id, setPixelFormat(format));
    },
  };
}

/** A machine that draws at random. Its bytes wait until they are delivered. */
export class DrawnMachine {
  picture: DrawnPicture;
  readonly #random: SeededRandom;
  readonly #rig: PictureServerRig;
  #bytes: Buffer = Buffer.alloc(0);
  #answered = 0;

  constructor(rig: PictureServerRig, random: SeededRandom, width: number, height: number) {
    this.#rig = rig;
    this.#random = random;
    this.picture = new DrawnPicture(width, height, random);
    this.#answered = rig.toMachine.length;
  }

  /** Connects it, and keeps its answers. */
  connect(): void {
    this.#bytes = Buffer.alloc(0);
    this.#answered = this.#rig.toMachine.length;
    this.#rig.server.connect('authenticated');
    this.answer();
  }

  draw(): void {
    this.append(this.picture.draw().message);
  }

  /** Draws pixels that zlib does not compress. */
  drawPhoto(): void {
    const { width, height, pixels } = this.picture;
    const [w, h] = [Math.min(width, 100), Math.min(height, 80)];
    const [x, y] = [this.#random(width - w + 1), this.#random(height - h + 1)];
    const colours = Array.from({ length: w * h }, () => this.#random(0x1_00_00_00));
    colours.forEach((colour, i) => (pixels[(y + Math.floor(i / w)) * width + x + (i % w)] = colour));
    this.append(update(rawRectangle(x, y, w, h, colours)));
  }

  resize(width: number, height: number): void {
    this.picture = new DrawnPicture(width, height, this.#random);
    this.append(update(Buffer.concat([u16(0), u16(0), u16(width), u16(height), u32(-223)])));
  }

  /** Any rectangle of a pseudo-encoding. */
  notify(
    x: number,
    y: number,
    width: number,
    height: number,
    encoding: number,
    body = Buffer.alloc(0),
  ): void {
    this.append(update(Buffer.concat([u16(x), u16(y), u16(width), u16(height), u32(encoding), body])));
  }

  /** Delivers as many bytes of what it has drawn. */
  deliver(count = Infinity): void {
    this.answer();
    while (count > 0 && this.#bytes.length > 0) {
      const chunk = this.#bytes.subarray(0, Math.min(count, this.#bytes.length));
      this.#bytes = this.#bytes.subarray(chunk.length);
      count -= chunk.length;
      this.#rig.server.onMachineBytes(Buffer.from(chunk));
      this.answer();
    }
  }

  /** Answers ClientInit, and requests for the whole picture. */
  answer(): void {
    const { toMachine } = this.#rig;
    for (; this.#answered < toMachine.length; this.#answered++) {
      const message = toMachine[this.#answered];
      if (message?.length === 1) this.append(this.picture.serverInit());
      if (message?.[0] !== 3 || message[1] !== 0) continue;
      this.append(this.picture.all());
    }
  }

  /** Forgets what it has drawn and not delivered. */
  discard(): void {
    this.#bytes = Buffer.alloc(0);
  }

  append(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }
}

/** What a viewer has to show: a part of a larger picture, or black around a smaller one. */
export function expectedPixels(viewer: TestViewer, machine: DrawnMachine): number[] {
  const { width, height, pixels } = machine.picture;
  return Array.from({ length: viewer.width * viewer.height }, (_, i) => {
    const [x, y] = [i % viewer.width, Math.floor(i / viewer.width)];
    return viewer.format.pixelOf(x < width && y < height ? (pixels[y * width + x] ?? 0) : 0);
  });
}

/** A server with the complete picture of a machine: by default, of two tiles by two. */
export async function createConnected(width = 128, height = 128, options: RigOptions = {}) {
  const rig = await createPictureServerRig(options);
  const machine = new DrawnMachine(rig, createSeededRandom(1), width, height);
  machine.connect();
  machine.deliver();
  /** Draws one pixel. */
  const drawPixel = (x: number, y: number, colour: number) => {
    machine.picture.pixels[y * width + x] = colour;
    rig.server.onMachineBytes(update(rawRectangle(x, y, 1, 1, [colour])));
  };
  /** Lets the viewer ask until it has everything. */
  const askForAll = (id: number) => {
    for (let i = 0; i < 4; i++) {
      rig.clock.advance(20);
      rig.send(id, updateRequest(true));
    }
  };
  return { ...rig, machine, drawPixel, askForAll };
}
