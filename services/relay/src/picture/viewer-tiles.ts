import { CollectedTiles, type SentTile } from './collected-tiles.ts';
import { encodeRegion, type EncodedTiles, type TileForm } from './encoded-tiles.ts';
import { Framebuffer, tileSize, type Region } from './framebuffer.ts';
import type { MachineState } from './machine-state.ts';
import { moveRectangle } from './rectangle-header.ts';
import type { EncodedTile, TileSlots } from './tile-cache.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a viewer has of a tile that it has never received. */
const nothing = -1;
/** In one update, so that a change of the picture is not late because of tiles that only become sharper. */
const maxReplacedBytes = 256 * 1024;

/**
 * Of an update. More than a picture of 1280 by 800 in Raw, which is not sent in parts; larger ones must not keep the
 * other screens waiting. The viewer gets the rest when it asks again.
 */
const maxUpdateBytes = 4 * 1024 * 1024;

const nothingNew = (completes: number) => new CollectedTiles([], { pending: 0, next: 0, completes });

/** Where the encoded tiles of a viewer are. */
export interface ViewerForm {
  readonly form: TileForm;
  readonly slots: TileSlots;
  /** Set if photographic tiles are sent as JPEG first. */
  readonly jpeg: { readonly level: number; readonly slots: TileSlots } | undefined;
}

/**
 * What a viewer has of the picture, and what of it the viewer has asked for, tile by tile. Its own size may be another
 * than the picture's: it sees a part of a larger picture, and black around a smaller one.
 */
export class ViewerTiles {
  readonly size: Size;
  readonly #columns: number;
  /** The version that the viewer has of each tile. */
  readonly #versions: Float64Array;
  readonly #asked: Uint8Array;
  readonly #lossy: Uint8Array;
  #lossyCount = 0;
  /** Where the last update stopped because of its size. */
  #start = 0;
  #askedForAll = false;
  /** The version of the picture that the viewer has completely and without loss. */
  #complete: number | undefined;

  constructor({ width, height }: Size) {
    this.size = { width, height };
    this.#columns = Math.ceil(width / tileSize);
    const count = this.#columns * Math.ceil(height / tileSize);
    this.#versions = new Float64Array(count).fill(nothing);
    this.#asked = new Uint8Array(count);
    this.#lossy = new Uint8Array(count);
  }

  /** Whether the viewer has a tile that differs from the machine's. */
  get lossy(): boolean {
    return this.#lossyCount > 0;
  }

  /**
   * Equal for viewers that have the same tiles and have asked for all, so that they get the same next. Undefined if the
   * viewer has another request, or not all of the picture.
   */
  get progress(): number | undefined {
    return this.#askedForAll ? this.#complete : undefined;
  }

  ask({ x, y, width, height }: Region, incremental: boolean): void {
    const right = Math.min(x + width, this.size.width);
    const bottom = Math.min(y + height, this.size.height);
    if (x >= right || y >= bottom) return;
    if (!incremental) this.#complete = undefined;
    if (x === 0 && y === 0 && right === this.size.width && bottom === this.size.height) {
      this.#askedForAll = true;
      this.#asked.fill(1);
      if (!incremental) this.#versions.fill(nothing);
      return;
    }
    const firstColumn = Math.floor(x / tileSize);
    const columns = Math.ceil(right / tileSize) - firstColumn;
    for (let row = Math.floor(y / tileSize); row * tileSize < bottom; row++) {
      const start = row * this.#columns + firstColumn;
      this.#asked.fill(1, start, start + columns);
      if (!incremental) this.#versions.fill(nothing, start, start + columns);
    }
  }

  /** Forgets what the viewer has, because it may interpret its pixels in another way. */
  forget(): void {
    this.#versions.fill(nothing);
    this.#complete = undefined;
  }

  /** What the viewer has asked for and does not have. */
  collect(machine: MachineState, tiles: EncodedTiles, form: ViewerForm): CollectedTiles {
    const { picture } = machine;
    if (this.progress === picture.version) return nothingNew(picture.version);
    const sameSize = picture.width === this.size.width && picture.height === this.size.height;
    const collected: SentTile[] = [];
    let pending = 0;
    let replacedBytes = 0;
    let bytes = 0;
    let at = 0;
    const count = this.#asked.length;
    for (; at < count && bytes < maxUpdateBytes; at++) {
      const index = (this.#start + at) % count;
      if (this.#asked[index] === 0) continue;
      const pictureIndex = sameSize ? index : this.#pictureIndex(index, picture);
      const version =
        pictureIndex === undefined ? machine.sizeVersion : (picture.tileVersions[pictureIndex] ?? 0);
      const has = this.#versions[index]!;
      let tile: EncodedTile | undefined;
      if (has !== version) {
        if (pictureIndex === undefined || (!sameSize && !this.#fits(index, picture, pictureIndex)))
          tile = { version, bytes: this.#encodePadded(index, picture, form.form), lossy: false };
        else if (form.jpeg)
          tile = tiles.jpeg(form.jpeg.slots, form.jpeg.level, form.slots, picture, pictureIndex, has);
        // What is quiet need not wait for an encoder.
        if (!tile && pictureIndex !== undefined && (!form.jpeg || version <= machine.quietVersion))
          tile = tiles.lossless(form.slots, form.form, picture, pictureIndex);
        if (!tile) {
          pending++;
          continue;
        }
      } else {
        const due = this.#lossy[index] === 1 && version <= machine.quietVersion;
        if (!due || pictureIndex === undefined || replacedBytes > maxReplacedBytes) continue;
        tile = tiles.lossless(form.slots, form.form, picture, pictureIndex);
        replacedBytes += tile.bytes.length;
      }
      bytes += tile.bytes.length;
      collected.push({ index, tile });
    }
    const all = this.#askedForAll && at === count && pending === 0 && sameSize;
    return new CollectedTiles(collected, {
      pending,
      next: at < count ? (this.#start + at) % count : 0,
      completes: all ? picture.version : undefined,
    });
  }

  /** All tiles without loss. Undefined for a picture of another size, or if they do not fit into an update. */
  encodeAll(picture: Framebuffer, tiles: EncodedTiles, { form, slots }: ViewerForm): Buffer[] | undefined {
    if (picture.width !== this.size.width || picture.height !== this.size.height) return undefined;
    const all: Buffer[] = [];
    let bytes = 0;
    for (let index = 0; index < this.#asked.length; index++) {
      const tile = tiles.lossless(slots, form, picture, index);
      bytes += tile.bytes.length;
      if (bytes > maxUpdateBytes) return undefined;
      all.push(tile.bytes);
    }
    return all;
  }

  /** Records that the viewer has these tiles, and that its request is answered. */
  commit({ tiles, next, completes }: CollectedTiles): void {
    this.#start = next;
    this.#asked.fill(0);
    this.#askedForAll = false;
    for (const { index, tile } of tiles) {
      this.#versions[index] = tile.version;
      const lossy = tile.lossy ? 1 : 0;
      this.#lossyCount += lossy - this.#lossy[index]!;
      this.#lossy[index] = lossy;
    }
    this.#complete = this.#lossyCount === 0 ? completes : undefined;
  }

  #region(index: number): Region {
    const x = (index % this.#columns) * tileSize;
    const y = Math.floor(index / this.#columns) * tileSize;
    const { width, height } = this.size;
    return { x, y, width: Math.min(tileSize, width - x), height: Math.min(tileSize, height - y) };
  }

  /** The picture's tile in the same place; undefined outside of the picture. */
  #pictureIndex(index: number, picture: Framebuffer): number | undefined {
    const column = index % this.#columns;
    const row = Math.floor(index / this.#columns);
    return column < picture.columns && row < picture.rows ? row * picture.columns + column : undefined;
  }

  #fits(index: number, picture: Framebuffer, pictureIndex: number): boolean {
    const own = this.#region(index);
    const other = picture.tileRegion(pictureIndex);
    return own.width === other.width && own.height === other.height;
  }

  /** A tile of the viewer's size, with black outside of the picture. */
  #encodePadded(index: number, picture: Framebuffer, form: TileForm): Buffer {
    const { x, y, width, height } = this.#region(index);
    const padded = new Framebuffer(width, height);
    const columns = Math.min(width, picture.width - x);
    const rows = columns > 0 ? Math.min(height, picture.height - y) : 0;
    for (let row = 0; row < rows; row++) {
      const start = (y + row) * picture.width + x;
      padded.pixels.set(picture.pixels.subarray(start, start + columns), row * width);
    }
    const bytes = encodeRegion(padded, { x: 0, y: 0, width, height }, form);
    moveRectangle(bytes, x, y);
    return bytes;
  }
}
