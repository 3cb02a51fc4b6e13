import { PortholeError } from '@porthole/shared/errors';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { clientMessageTypes } from '../rfb/message-types.ts';
import { invalidMessage } from '../rfb/invalid-message.ts';
import { AdoptionMarker, releaseAllKeys } from './adopt-console.ts';
import type { Framebuffer } from './framebuffer.ts';
import {
  ScreenDecoder,
  setPixelFormat,
  supportedEncodings,
  type ScreenDecoderEvents,
} from './screen-decoder.ts';
import { UpdateRequests, type Demand } from './update-requests.ts';

/** Limits for a machine. Times in milliseconds. */
export const sourceLimits = {
  /** Until an adopted console acknowledges its new encodings. */
  adoptionMs: 2000,
  /** Without a byte, until the first picture is complete. */
  pictureMs: 10_000,
  /** Of the size per second. Each takes new memory. */
  resizesPerSecond: 60,
} as const;

export interface PictureSourceEvents extends Omit<ScreenDecoderEvents, 'onResize' | 'onUpdate'> {
  toMachine(message: Uint8Array): void;
  /** There is another picture. `resized`: it has another size than the last one, or is the first. */
  onPicture(resized: boolean): void;
  /** An update is complete. `picture` is consistent. */
  onUpdate(): void;
  /** The connection was useless and is given up. */
  onFailed(detail: string): void;
}

/** A connection to the machine. Its picture is not served before it is complete. */
interface Connection {
  decoder: ScreenDecoder | undefined;
  readonly marker: AdoptionMarker | undefined;
  readonly requests: UpdateRequests;
  picture: Framebuffer | undefined;
  /** The picture is complete when the versions of all tiles are later. */
  completeAfter: number;
  /** The picture was asked for completely. */
  asked: boolean;
  bytesArrived: boolean;
}

/**
 * The machine's side of a picture server: decodes its console and keeps its last complete picture, over the loss of the
 * console too. Asks the machine for updates.
 */
export class PictureSource {
  readonly #clock: Clock;
  readonly #events: PictureSourceEvents;
  #connection: Connection | undefined;
  #picture: Framebuffer | undefined;
  #cancelDeadline: Cancel = () => {};
  #resizes = { since: 0, count: 0 };

  constructor(clock: Clock, events: PictureSourceEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** The last complete picture. */
  get picture(): Framebuffer | undefined {
    return this.#picture;
  }

  /** Whether the picture has no part of an update that is incomplete. */
  get consistent(): boolean {
    const connection = this.#connection;
    return !connection?.decoder?.updating || connection.picture !== this.#picture;
  }

  /** Whether the machine has another size already, with a picture that is not complete. */
  get resizing(): boolean {
    const next = this.#connection?.picture;
    return next !== undefined && next !== this.#picture;
  }

  connect(start: 'authenticated' | 'adopt'): void {
    this.disconnect();
    const { toMachine } = this.#events;
    const adopting = start === 'adopt';
    this.#connection = {
      decoder: adopting ? undefined : this.#createDecoder(undefined),
      marker: adopting ? new AdoptionMarker() : undefined,
      requests: new UpdateRequests(this.#clock, (message) => toMachine(message)),
      picture: undefined,
      completeAfter: 0,
      asked: false,
      bytesArrived: false,
    };
    if (adopting) {
      toMachine(releaseAllKeys());
      this.#sendFormat();
      this.#failAfter(sourceLimits.adoptionMs, 'did not acknowledge its new encodings');
    } else {
      toMachine(Buffer.of(1)); // ClientInit: shared
      this.#failWithoutPicture();
    }
  }

  disconnect(): void {
    this.#cancelDeadline();
    const unfinished = this.#connection?.picture;
    this.#connection = undefined;
    if (unfinished !== this.#picture) unfinished?.release();
  }

  push(chunk: Uint8Array): void {
    const connection = this.#connection;
    if (!connection) return;
    connection.bytesArrived = true;
    try {
      if (connection.decoder) connection.decoder.push(chunk);
      else this.#findMarker(connection, chunk);
    } catch (error) {
      if (!(error instanceof PortholeError) || error.code !== 'proxmox_invalid_response') throw error;
      this.#fail(error.detail ?? error.message);
    }
  }

  /** Asks for changes if it is time. Returns when to call again, if it is too early. */
  request(demand: Demand): number | undefined {
    const connection = this.#connection;
    if (!connection?.picture) return undefined;
    const { picture, requests } = connection;
    // TigerVNC answers the first request with the cursor and such only. A second request for everything would get the
    // same answer.
    const isComplete = picture === this.#picture;
    return requests.askForChanges(picture, isComplete ? demand : 'full');
  }

  stop(): void {
    this.disconnect();
    this.#picture?.release();
    this.#picture = undefined;
  }

  #findMarker(connection: Connection, chunk: Uint8Array): void {
    const found = connection.marker?.push(chunk);
    if (!found) return;
    const { width, height, rest } = found;
    connection.decoder = this.#createDecoder({ width, height });
    this.#failWithoutPicture();
    this.#events.onExtendedKeys();
    connection.decoder.push(rest);
  }

  #createDecoder(size: { width: number; height: number } | undefined): ScreenDecoder {
    const start = { version: this.#picture?.version ?? 0, ...(size ? { size, skipsTight: true } : {}) };
    return new ScreenDecoder(
      {
        ...this.#events,
        onResize: (picture) => this.#onSize(picture),
        onUpdate: () => this.#onUpdate(),
      },
      start,
    );
  }

  #onSize(picture: Framebuffer): void {
    const connection = this.#connection;
    if (!connection) return;
    const before = connection.picture;
    if (before !== this.#picture) before?.release();
    connection.picture = picture;
    this.#countResize();
    connection.completeAfter = picture.version;
    connection.asked = false;
    // After a change of the size, the update is complete first.
    if (before) return;
    if (!connection.marker) this.#sendFormat();
    this.#askForAll(connection, picture);
  }

  #askForAll(connection: Connection, picture: Framebuffer): void {
    connection.asked = true;
    connection.requests.askForAll(picture);
  }

  #onUpdate(): void {
    const connection = this.#connection;
    const next = connection?.picture;
    if (!connection || !next) return;
    connection.requests.onAnswered();
    if (!connection.asked) this.#askForAll(connection, next);
    if (next !== this.#picture) this.#serveIfComplete(connection, next);
    this.#events.onUpdate();
  }

  #serveIfComplete({ completeAfter, decoder }: Connection, next: Framebuffer): void {
    if (next.tileVersions.some((version) => version <= completeAfter)) return;
    this.#cancelDeadline();
    // QEMU encodes one update at a time. So what it encoded for the viewer before has arrived.
    decoder?.refuseTight();
    const before = this.#picture;
    const resized = before?.width !== next.width || before.height !== next.height;
    if (before && !resized)
      for (const index of next.tileVersions.keys())
        if (next.hasSameTile(index, before)) next.tileVersions[index] = before.tileVersions[index] ?? 0;
    this.#picture = next;
    before?.release();
    this.#events.onPicture(resized);
  }

  #sendFormat(): void {
    this.#events.toMachine(setPixelFormat);
    const message = Buffer.alloc(4 + 4 * supportedEncodings.length);
    message[0] = clientMessageTypes.setEncodings;
    message.writeUInt16BE(supportedEncodings.length, 2);
    supportedEncodings.forEach((encoding, index) => message.writeInt32BE(encoding, 4 + 4 * index));
    this.#events.toMachine(message);
  }

  #countResize(): void {
    const now = this.#clock.now();
    if (now - this.#resizes.since >= 1000) this.#resizes = { since: now, count: 0 };
    if (++this.#resizes.count > sourceLimits.resizesPerSecond)
      throw invalidMessage(`more than ${sourceLimits.resizesPerSecond} sizes in a second`);
  }

  #failAfter(ms: number, detail: string): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#clock.after(ms, () => this.#fail(`the VNC server ${detail}`));
  }

  /** As long as bytes arrive, a picture may be large. */
  #failWithoutPicture(): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#clock.after(sourceLimits.pictureMs, () => {
      if (!this.#connection?.bytesArrived) return this.#fail('the VNC server sent no picture');
      this.#connection.bytesArrived = false;
      this.#failWithoutPicture();
    });
  }

  #fail(detail: string): void {
    this.disconnect();
    this.#events.onFailed(detail);
  }
}
