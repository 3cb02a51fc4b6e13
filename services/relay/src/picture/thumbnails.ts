import type { EncodeJpeg } from './encoded-tiles.ts';
import type { Framebuffer } from './framebuffer.ts';
import { ThumbnailPicture } from './thumbnail-picture.ts';

/** Least milliseconds between two thumbnails of a screen. */
export const thumbnailMs = 1000;
/** Text of a desktop is still legible enough to recognize what is going on. */
const quality = 70;

/** A thumbnail of a machine's picture as a JPEG file. */
export interface ThumbnailImage {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
}

interface Consumer {
  /** It has taken its last thumbnail and waits for the next one. */
  waits: boolean;
  /** The last one that it got. */
  sent: ThumbnailImage | undefined;
}

/**
 * The thumbnails of one screen: at most one per second, each encoded once for all consumers, and sent only to those that
 * have taken the last one. Without consumers it holds no memory.
 */
export class Thumbnails {
  readonly #deps: ThumbnailsDeps;
  readonly #consumers = new Map<number, Consumer>();
  #picture: ThumbnailPicture | undefined;
  /** Of which picture `#picture` was made. */
  #size = { width: 0, height: 0 };
  #latest: ThumbnailImage | undefined;
  /** The version of the picture that `#latest` shows, or that is being encoded. */
  #version = -1;
  #encoding = false;
  #encodedAt = -Infinity;

  constructor(deps: ThumbnailsDeps) {
    this.#deps = deps;
  }

  /** Whether a consumer waits, so that the machine is asked for changes. */
  get waiting(): boolean {
    for (const { waits } of this.#consumers.values()) if (waits) return true;
    return false;
  }

  /** Whether a consumer waits that has none yet. */
  get awaitsFirst(): boolean {
    for (const { waits, sent } of this.#consumers.values()) if (waits && !sent) return true;
    return false;
  }

  add(id: number): void {
    this.#consumers.set(id, { waits: false, sent: undefined });
  }

  /** The consumer has taken its last thumbnail, and wants the next one as soon as the picture changes. */
  request(id: number): void {
    const consumer = this.#consumers.get(id);
    if (consumer) consumer.waits = true;
  }

  remove(id: number): void {
    if (this.#consumers.delete(id) && this.#consumers.size === 0) this.#forget();
  }

  stop(): void {
    this.#consumers.clear();
    this.#forget();
  }

  /** Sends what consumers lack, or begins to encode it. Returns when to call again, if it is too early. */
  serve(picture: Framebuffer, now: number): number | undefined {
    if (!this.waiting) return undefined;
    if (picture.version !== this.#version && !this.#encoding) {
      const dueAt = this.#encodedAt + thumbnailMs;
      if (now < dueAt) {
        this.#send();
        return dueAt;
      }
      this.#encode(picture, now);
    }
    this.#send();
    return undefined;
  }

  #send(): void {
    const latest = this.#latest;
    if (!latest) return;
    for (const [id, consumer] of this.#consumers) {
      if (!consumer.waits || consumer.sent === latest) continue;
      consumer.waits = false;
      consumer.sent = latest;
      this.#deps.send(id, latest);
    }
  }

  #encode(picture: Framebuffer, now: number): void {
    if (!this.#picture || this.#size.width !== picture.width || this.#size.height !== picture.height) {
      this.#picture = new ThumbnailPicture(picture);
      this.#size = { width: picture.width, height: picture.height };
      this.#latest = undefined;
    }
    const changed = this.#picture.update(picture);
    this.#version = picture.version;
    if (!changed && this.#latest) return;
    const { pixels, width, height } = this.#picture;
    this.#encoding = true;
    this.#encodedAt = now;
    void this.#finish(this.#picture, { width, height }, async () =>
      this.#deps.encodeJpeg?.(pixels, { width, height }, quality),
    );
  }

  /** The thumbnail stays as it is until it is encoded. */
  async #finish(
    of: ThumbnailPicture,
    size: { readonly width: number; readonly height: number },
    encode: () => Promise<Uint8Array | undefined>,
  ): Promise<void> {
    const image = await encode().catch(() => undefined);
    if (this.#picture !== of) return;
    this.#encoding = false;
    if (image) this.#latest = { ...size, image };
    // Tried again a second later.
    else this.#version = -1;
    this.#deps.onReady();
  }

  #forget(): void {
    this.#picture = undefined;
    this.#latest = undefined;
    this.#version = -1;
    this.#encoding = false;
    this.#encodedAt = -Infinity;
  }
}

export interface ThumbnailsDeps {
  /** Without it, there are no thumbnails. */
  readonly encodeJpeg: EncodeJpeg | undefined;
  /** Other consumers get the same memory, so it must be copied, not transferred or changed. */
  readonly send: (id: number, thumbnail: ThumbnailImage) => void;
  /** A thumbnail is encoded. Call `serve` soon. */
  readonly onReady: () => void;
}
