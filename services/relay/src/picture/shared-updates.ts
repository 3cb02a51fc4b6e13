import type { CollectedTiles } from './collected-tiles.ts';

/** What decides which tiles a viewer gets from a picture in its present state. */
export interface UpdateReceiver {
  /** Equal for viewers that have the same tiles and ask for all. Undefined if that is not known. */
  readonly progress: number | undefined;
  /** Equal for equal forms of the tiles. */
  readonly formKey: string;
}

/**
 * The tiles that viewers in the same state get, collected once for all of them. Use a new one for each pass over the
 * viewers, in which the picture does not change.
 */
export class SharedUpdates {
  readonly #collected = new Map<string, CollectedTiles>();

  collect({ progress, formKey }: UpdateReceiver, collect: () => CollectedTiles): CollectedTiles {
    if (progress === undefined) return collect();
    const key = `${progress} ${formKey}`;
    const collected = this.#collected.get(key) ?? collect();
    this.#collected.set(key, collected);
    return collected;
  }
}
