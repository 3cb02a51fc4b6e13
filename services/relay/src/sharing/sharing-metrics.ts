import { Counter, Gauge, type Registry } from 'prom-client';
import type { ErrorCode } from '@porthole/shared/errors';

/** `in`: from other relays to this one. `out`: from this relay to the owners of the machines. */
export type ForwardDirection = 'in' | 'out';

/** Why the internal listener closed a connection before a viewer was forwarded on it. */
export const connectionRefusals = ['handshake', 'evicted', 'rate', 'limit', 'request'] as const;
export type ConnectionRefusal = (typeof connectionRefusals)[number];

export const ownerChanges = ['taken_over', 'lost'] as const;
export type OwnerChange = (typeof ownerChanges)[number];

export interface SharingMetrics {
  /** One forwarded viewer more or less. */
  forwarded(direction: ForwardDirection, change: 1 | -1): void;
  /** The owner refused a forwarded viewer. */
  forwardRefused(direction: ForwardDirection, code: ErrorCode): void;
  connectionRefused(reason: ConnectionRefusal): void;
  ownerChanged(change: OwnerChange): void;
}

const directions = ['in', 'out'] as const satisfies readonly ForwardDirection[];
/** The refusals whose series exist from the start, so that a rate over the first one is not lost. */
const usualRefusals = [
  'owner_unreachable',
  'screen_full',
  'grant_invalid',
  'store_unavailable',
] as const satisfies readonly ErrorCode[];

export function createSharingMetrics(registry: Registry): SharingMetrics {
  const registers = [registry];
  const forwarded = new Gauge({
    name: 'porthole_relay_forwarded_viewers',
    help: 'Viewers that are forwarded between relays, by direction: `in` to consoles of this relay, `out` to the owners of the machines.',
    labelNames: ['direction'],
    registers,
  });
  const forwardsRefused = new Counter({
    name: 'porthole_relay_forwards_refused_total',
    help: 'Viewers that were not forwarded, by direction and error code.',
    labelNames: ['direction', 'code'],
    registers,
  });
  const connectionsRefused = new Counter({
    name: 'porthole_relay_internal_connections_refused_total',
    help: 'Connections that the internal listener closed, by reason: handshake (no grant key), evicted (too many unfinished), rate, limit, or request (not that of a relay).',
    labelNames: ['reason'],
    registers,
  });
  const ownerChanged = new Counter({
    name: 'porthole_relay_owner_changes_total',
    help: 'Consoles that this relay took over from a relay that did not answer, or lost to another relay.',
    labelNames: ['change'],
    registers,
  });
  for (const direction of directions) {
    forwarded.set({ direction }, 0);
    for (const code of usualRefusals) forwardsRefused.inc({ direction, code }, 0);
  }
  for (const reason of connectionRefusals) connectionsRefused.inc({ reason }, 0);
  for (const change of ownerChanges) ownerChanged.inc({ change }, 0);
  return {
    forwarded: (direction, change) => forwarded.inc({ direction }, change),
    forwardRefused: (direction, code) => forwardsRefused.inc({ direction, code }),
    connectionRefused: (reason) => connectionsRefused.inc({ reason }),
    ownerChanged: (change) => ownerChanged.inc({ change }),
  };
}
