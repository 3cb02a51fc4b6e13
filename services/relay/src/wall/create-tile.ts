import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { WallClaims, WallSeat } from '@porthole/shared/grant/wall-claims';
import type { Clock } from '@porthole/shared/time/clock';
import type { OpenThumbnail } from '../sharing/contracts.ts';
import { locateRunning, type RelayCluster } from '../upstream/machine.ts';
import { WallTile, type WallTileDeps } from './wall-tile.ts';

export type CreateTile = (
  wall: WallClaims,
  seat: WallSeat,
  events: Pick<WallTileDeps, 'onThumbnail' | 'onState'>,
) => WallTile;

/** Creates the tiles of all walls of the relay. */
export function createTiles(deps: {
  readonly clock: Clock;
  readonly clusters: ReadonlyMap<string, RelayCluster>;
  readonly openThumbnail: OpenThumbnail;
}): CreateTile {
  const { clock, clusters, openThumbnail } = deps;
  return (wall, seat, events) => {
    const claims = toTileClaims(wall, seat);
    const clusterOf = () => {
      const cluster = clusters.get(seat.cluster);
      if (!cluster) throw new PortholeError('machine_not_found', { detail: `no cluster ${seat.cluster}` });
      return cluster;
    };
    return new WallTile({
      ...events,
      clock,
      open: async (request) => openThumbnail({ ...request, claims, cluster: clusterOf() }),
      checkRunning: async (signal) => locateRunning(clusterOf(), claims, signal),
    });
  };
}

/** What a shared screen has to know of a tile. The limits are those of the wall, which enforces them. */
function toTileClaims(wall: WallClaims, seat: WallSeat): GrantClaims {
  const { sessionId, loginRef, user, sessionSeconds, origins, issuedAt, expiresAt } = wall;
  const { cluster, node, type, vmid, machineName } = seat;
  return {
    version: 1,
    sessionId,
    loginRef,
    user: { ...user, groups: [] },
    cluster,
    node,
    type,
    vmid,
    machineName,
    mode: 'view',
    kind: 'screen',
    clipboard: 'none',
    thumbnail: true,
    limits: { sessionSeconds, idleSeconds: sessionSeconds, perUser: 1, perMachine: 1 },
    origins: [...origins],
    issuedAt,
    expiresAt,
  };
}
