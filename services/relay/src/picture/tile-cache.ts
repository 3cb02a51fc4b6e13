/** A version of a tile, encoded as a rectangle with its header. */
export interface EncodedTile {
  readonly version: number;
  readonly bytes: Buffer;
  /** Whether its pixels differ from the machine's. */
  readonly lossy: boolean;
}

/** The encoded tiles of one picture in one form, by the index of the tile. */
export type TileSlots = (CachedTile | undefined)[];

interface CachedTile extends EncodedTile {
  readonly slots: TileSlots;
  readonly index: number;
}

/** What a tile takes beside its bytes. Measured with Node 24. */
const bytesPerEntry = 400;

/**
 * Encoded tiles of all screens of a worker, within a limit of bytes. What was used least recently is forgotten first. A
 * forgotten tile is encoded again when it is needed.
 */
export class TileCache {
  readonly #limit: number;
  /** In the order of their last use. */
  readonly #tiles = new Set<CachedTile>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a tile in its slot, instead of the one there. */
  keep(slots: TileSlots, index: number, tile: EncodedTile): void {
    const before = slots[index];
    if (before) this.#forget(before);
    const cached = { ...tile, slots, index };
    slots[index] = cached;
    this.#tiles.add(cached);
    this.#bytes += cached.bytes.length + bytesPerEntry;
    for (const oldest of this.#tiles) {
      if (this.#bytes <= this.#limit || oldest === cached) break;
      this.#forget(oldest);
    }
  }

  find(slots: TileSlots, index: number): EncodedTile | undefined {
    const tile = slots[index];
    if (!tile) return undefined;
    this.#tiles.delete(tile);
    this.#tiles.add(tile);
    return tile;
  }

  forgetAll(slots: TileSlots): void {
    for (const tile of slots) if (tile) this.#forget(tile);
    slots.length = 0;
  }

  #forget(tile: CachedTile): void {
    this.#tiles.delete(tile);
    tile.slots[tile.index] = undefined;
    this.#bytes -= tile.bytes.length + bytesPerEntry;
  }
}
