import type { Config } from '@porthole/shared/config/schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { Clock } from '@porthole/shared/time/clock';
import type { AcceptForwarded, ForwardViewer, MachineOwners } from './contracts.ts';
import { createForwardListener, type ForwardListener } from './forward-listener.ts';
import { createForwardViewer } from './forward-viewer.ts';
import { createMachineOwners } from './machine-owners.ts';
import type { SharingMetrics } from './sharing-metrics.ts';

/** What connects a relay with the others: who owns which machine, and how viewers get there. */
export interface RelayConnections {
  readonly owners: MachineOwners;
  readonly forward: ForwardViewer;
  /** Undefined if other relays cannot reach this one. */
  readonly listener: ForwardListener | undefined;
}

export function createRelayConnections(deps: {
  readonly settings: Config['sharing'];
  readonly keys: SealKeys;
  readonly store: Pick<Store, 'records'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly tracing: Pick<Tracing, 'withSpan'>;
  readonly metrics: SharingMetrics;
  /** Most forwarded viewers at once. */
  readonly maxViewers: number;
  /** Over how long a drain is spread, in milliseconds. */
  readonly drainMs: number;
  /** Attaches viewers of other relays to consoles of this one. */
  readonly accept: AcceptForwarded;
}): RelayConnections {
  const { accept, clock, drainMs, keys, maxViewers, metrics, random, settings, tracing } = deps;
  const address = settings.enabled ? settings.internalAddress : undefined;
  const common = { records: deps.store.records, keys, random, clock, metrics };
  return {
    owners: createMachineOwners({ ...common, address }),
    forward: createForwardViewer({ ...common, tracing }),
    listener:
      address === undefined
        ? undefined
        : createForwardListener({
            ...common,
            listen: settings.internalListen,
            address,
            accept,
            maxViewers,
            drainMs,
          }),
  };
}
