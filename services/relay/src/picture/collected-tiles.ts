import { encodeUpdate, type Update } from './encode-update.ts';
import type { EncodedTile } from './tile-cache.ts';

/** A tile that an update has, with its index among the viewer's tiles. */
export interface SentTile {
  readonly index: number;
  readonly tile: EncodedTile;
}

/** Tiles for an update of one viewer, or of several ones that have the same. */
export class CollectedTiles {
  readonly tiles: readonly SentTile[];
  /** Tiles that were asked for and that are still being encoded. */
  readonly pending: number;
  /** Where the next update begins. */
  readonly next: number;
  /** The version of the picture that a viewer has completely, with these tiles. Undefined if it lacks some. */
  readonly completes: number | undefined;
  #update: Update | undefined;

  constructor(tiles: readonly SentTile[], rest: Pick<CollectedTiles, 'pending' | 'next' | 'completes'>) {
    this.tiles = tiles;
    this.pending = rest.pending;
    this.next = rest.next;
    this.completes = rest.completes;
  }

  /** The update that has these tiles and nothing else. Always the same, so that it can be copied for all viewers at once. */
  get update(): Update {
    this.#update ??= encodeUpdate(this.tiles.map(({ tile }) => tile.bytes));
    return this.#update;
  }
}
