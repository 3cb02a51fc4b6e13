import { PortholeError } from '@porthole/shared/errors';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { Config } from '@porthole/shared/config/schema';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Store } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { Clock } from '@porthole/shared/time/clock';
import type { RelayMetrics } from '../metrics.ts';
import type { ScreenReadings } from '../screen/screen-metrics.ts';
import { createSharedScreens } from '../screen/shared-screens.ts';
import type { Deadlines } from '../upstream/deadlines.ts';
import type { Dial } from '../upstream/dial.ts';
import type { OpenThumbnail } from './contracts.ts';
import { createForwardListener } from './forward-listener.ts';
import { createForwardViewer } from './forward-viewer.ts';
import { createMachineOwners } from './machine-owners.ts';
import { createSharingDial } from './sharing-dial.ts';

export interface Sharing {
  readonly dial: Dial;
  readonly openThumbnail: OpenThumbnail;
  /** In the order in which they start. */
  readonly components: readonly LifecycleComponent[];
  readonly readings: ScreenReadings;
  /** Sends the viewers of other relays away, together with the sessions of this one. Resolves when they are gone. */
  drain(): Promise<void>;
}

/** Composes what shares the consoles of a relay: owner records, the way between relays, and the shared screens. */
export function createSharing(deps: {
  readonly settings: Config['sharing'];
  readonly store: Store;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly metrics: RelayMetrics;
  readonly deadlines: Pick<Deadlines, 'keepAlive'>;
  /** Opens consoles at Proxmox. */
  readonly dial: Dial;
  readonly maxViewers: number;
  readonly drainMs: number;
  /** Default: the relay's. */
  readonly workerUrl?: URL;
}): Sharing {
  const { settings, store, clock, metrics, deadlines, workerUrl, maxViewers, drainMs } = deps;
  const { internalAddress: address } = settings;
  const { records } = store;
  const common = { keys: deps.keys, random: deps.random, clock, records, metrics: metrics.sharing };
  const screens = createSharedScreens({
    clock,
    limits: settings,
    workers: settings.workers,
    tileCacheMiB: settings.tileCacheMiB,
    keepAliveMs: deadlines.keepAlive,
    metrics: metrics.screen,
    ...(workerUrl ? { workerUrl } : {}),
  });
  const consoles = createSharingDial({
    clock,
    random: deps.random,
    log: deps.log,
    tracing: deps.tracing,
    metrics: metrics.sharingDial,
    dial: deps.dial,
    owners: createMachineOwners({ ...common, address }),
    forward: createForwardViewer({ ...common, tracing: deps.tracing }),
    openScreen: (screen) => screens.open(screen),
    healMs: settings.healSeconds * 1000,
  });
  const listener =
    address === undefined
      ? undefined
      : createForwardListener({
          ...common,
          listen: settings.internalListen,
          address,
          accept: consoles.accept,
          maxViewers,
          drainMs,
        });
  return {
    dial: settings.enabled ? consoles.dial : deps.dial,
    async openThumbnail(request) {
      if (!settings.enabled) throw new PortholeError('screen_full', { detail: 'consoles are not shared' });
      return consoles.openThumbnail(request);
    },
    readings: screens.readings,
    components: [
      {
        name: 'shared screens',
        async stop() {
          await consoles.stop();
          await screens.stop();
        },
      },
      ...(listener ? [listener] : []),
    ],
    async drain() {
      consoles.drain();
      await listener?.drain();
    },
  };
}
