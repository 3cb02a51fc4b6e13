import type { RelayReadings } from '@porthole/relay/metrics';

/** Readings of a relay that does nothing. */
export const relayReadings: RelayReadings = {
  draining: () => false,
  connections: () => 0,
  maxSessions: 0,
  frames: () => 0,
  screens: () => ({ screens: 0, viewers: 0, thumbnails: 0, pixels: 0, cacheBytes: 0 }),
  buffered: () => 0,
  pausedConsoles: () => 0,
  heldBackConsoles: () => 0,
  followingConsoles: () => 0,
  recordings: () => undefined,
  clusters: ['lab'],
};
