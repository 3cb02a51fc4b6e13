import { createTiles } from './create-tile.ts';
import { LiveWalls, type LiveWallsDeps } from './live-walls.ts';
import type { WallSessionDeps } from './wall-session.ts';

/** Composes the walls of the relay from what they share. */
export function createLiveWalls(
  deps: Omit<WallSessionDeps, 'createTile'> &
    Omit<LiveWallsDeps, 'session'> &
    Parameters<typeof createTiles>[0],
): LiveWalls {
  return new LiveWalls({ ...deps, session: { ...deps, createTile: createTiles(deps) } });
}
