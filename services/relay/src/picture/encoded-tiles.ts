import { encodeHextile } from './encode-hextile.ts';
import { encodeRaw } from './encode-raw.ts';
import { copyRgb, encodeTight, hasManyColours, wrapJpeg } from './encode-tight.ts';
import type { Framebuffer, Region } from './framebuffer.ts';
import type { EncodedTile, TileCache, TileSlots } from './tile-cache.ts';
import type { ViewerFormat } from './viewer-format.ts';

/**
 * Encodes pixels as a JPEG file: three bytes each (red, green, blue), row by row. `quality` is 1 to 100. The pixels are
 * the encoder's own. May work in other threads.
 */
export type EncodeJpeg = (
  pixels: Buffer,
  size: { readonly width: number; readonly height: number },
  quality: number,
) => Promise<Uint8Array> | Uint8Array;

/** How the lossless tiles of a viewer are encoded: in Tight, or with its format in Hextile or Raw. */
export type TileForm = 'tight' | { readonly encoding: 'hextile' | 'raw'; readonly format: ViewerFormat };

/** Equal for equal forms. */
export function keyOfForm(form: TileForm): string {
  return form === 'tight' ? form : `${form.encoding} ${form.format.key}`;
}

/** JPEG qualities of the levels 0 to 9, as in TigerVNC. */
const jpegQualities = [15, 29, 41, 42, 62, 77, 79, 86, 92, 100] as const;
/** A tile is photographic if it has many colours and zlib compresses it to more than this part. */
const photographicRatio = 1 / 3;
/** A JPEG file has hundreds of bytes beside its pixels. */
const minPhotographicBytes = 2000;
/** Tiles that are being encoded as JPEG. Each takes 12 KiB. */
const maxJpegJobs = 128;

/** The encoded tiles of one form, for as long as a viewer uses it. */
interface FormTiles {
  users: number;
  readonly slots: TileSlots;
}

export interface EncodedTilesOptions {
  readonly cache: TileCache;
  /** Without it, all tiles are lossless. */
  readonly encodeJpeg?: EncodeJpeg | undefined;
  /** A tile that was not ready is. */
  readonly onReady: () => void;
}

/** The tiles of one picture, each version encoded once per form that viewers use. */
export class EncodedTiles {
  readonly #options: EncodedTilesOptions;
  readonly #forms = new Map<string, FormTiles>();
  /** Tiles that are being encoded as JPEG: their form and index. */
  readonly #jobs = new Map<TileSlots, Set<number>>();
  #jobCount = 0;
  #encodeJpeg: EncodeJpeg | undefined;

  constructor(options: EncodedTilesOptions) {
    this.#options = options;
    this.#encodeJpeg = options.encodeJpeg;
  }

  /** Keeps the tiles of a form from now on. Call the returned function once when they are not needed any more. */
  use(form: TileForm): { readonly slots: TileSlots; release(): void } {
    return this.#use(keyOfForm(form));
  }

  /** The same for JPEG of a quality level from 0 to 9. */
  useJpeg(level: number): { readonly slots: TileSlots; release(): void } {
    return this.#use(`jpeg ${level}`);
  }

  #use(key: string): { readonly slots: TileSlots; release(): void } {
    const tiles = this.#forms.get(key) ?? { users: 0, slots: [] };
    this.#forms.set(key, tiles);
    tiles.users++;
    return {
      slots: tiles.slots,
      release: () => {
        if (--tiles.users > 0) return;
        this.#options.cache.forgetAll(tiles.slots);
        this.#jobs.delete(tiles.slots);
        this.#forms.delete(key);
      },
    };
  }

  /** A tile as it is. */
  lossless(slots: TileSlots, form: TileForm, picture: Framebuffer, index: number): EncodedTile {
    const version = picture.tileVersions[index] ?? 0;
    const cached = this.#options.cache.find(slots, index);
    if (cached?.version === version) return cached;
    const tile = { version, bytes: encodeRegion(picture, picture.tileRegion(index), form), lossy: false };
    this.#options.cache.keep(slots, index, tile);
    return tile;
  }

  /**
   * A photographic tile as JPEG, later than the version `after`; others as they are. Undefined while it is being encoded.
   */
  jpeg(
    jpegSlots: TileSlots,
    level: number,
    tight: TileSlots,
    picture: Framebuffer,
    index: number,
    after: number,
  ): EncodedTile | undefined {
    const version = picture.tileVersions[index] ?? 0;
    const { cache } = this.#options;
    const cached = cache.find(jpegSlots, index);
    if (cached?.version === version) return cached;
    const lossless = this.lossless(tight, 'tight', picture, index);
    const region = picture.tileRegion(index);
    if (!this.#encodeJpeg || !isPhotographic(lossless.bytes, region)) return lossless;
    // A tile that changes faster than it is encoded: an older version is better than none.
    if (this.#jobs.get(jpegSlots)?.has(index)) return cached && cached.version > after ? cached : undefined;
    if (this.#jobCount >= maxJpegJobs) return undefined;
    const encoded = this.#startJpeg(this.#encodeJpeg, picture, region, level);
    if (!encoded) return lossless;
    if (encoded instanceof Uint8Array) return this.#keepJpeg(jpegSlots, index, version, region, encoded);
    this.#await(encoded, jpegSlots, index, version, region);
    return undefined;
  }

  /** Forgets all tiles, because the picture has another size. */
  clear(): void {
    for (const { slots } of this.#forms.values()) this.#options.cache.forgetAll(slots);
    // What is being encoded belongs to the picture before.
    this.#jobs.clear();
  }

  #startJpeg(encode: EncodeJpeg, picture: Framebuffer, region: Region, level: number) {
    const { width, height } = region;
    try {
      return encode(copyRgb(picture, region), { width, height }, jpegQualities[level] ?? jpegQualities[0]);
    } catch {
      this.#encodeJpeg = undefined;
      return undefined;
    }
  }

  #await(
    encoded: Promise<Uint8Array>,
    slots: TileSlots,
    index: number,
    version: number,
    region: Region,
  ): void {
    const jobs = this.#jobs.get(slots) ?? new Set();
    this.#jobs.set(slots, jobs);
    jobs.add(index);
    this.#jobCount++;
    const onSettled = (file: Uint8Array | undefined) => {
      this.#jobCount--;
      // An encoder that fails once is not used again: all tiles are lossless.
      if (!file) this.#encodeJpeg = undefined;
      const wanted = this.#jobs.get(slots) === jobs;
      jobs.delete(index);
      if (wanted && file) this.#keepJpeg(slots, index, version, region, file);
      this.#options.onReady();
    };
    encoded.then(onSettled, () => onSettled(undefined));
  }

  #keepJpeg(slots: TileSlots, index: number, version: number, region: Region, file: Uint8Array): EncodedTile {
    const tile = { version, bytes: wrapJpeg(region, file), lossy: true };
    this.#options.cache.keep(slots, index, tile);
    return tile;
  }
}

/** Encodes a region of a picture as one rectangle. */
export function encodeRegion(picture: Framebuffer, region: Region, form: TileForm): Buffer {
  if (form === 'tight') return encodeTight(picture, region);
  const encode = form.encoding === 'hextile' ? encodeHextile : encodeRaw;
  return encode(picture, region, form.format);
}

function isPhotographic(tight: Buffer, { width, height }: Region): boolean {
  return (
    hasManyColours(tight) &&
    tight.length >= minPhotographicBytes &&
    tight.length > 3 * width * height * photographicRatio
  );
}
