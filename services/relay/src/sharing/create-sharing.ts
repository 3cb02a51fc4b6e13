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
import { createRelayConnections } from './relay-connections.ts';
import { createSharingDial, type SharedConsoles } from './sharing-dial.ts';
import type { SharingDeps } from './sharing-deps.ts';

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
  readonly config: Pick<Config, 'sharing' | 'limits'>;
  readonly store: Store;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly metrics: RelayMetrics;
  readonly deadlines: Pick<Deadlines, 'keepAlive' | 'unwatchedScreen'>;
  readonly control: SharingDeps['control'];
  /** Opens consoles at Proxmox. */
  readonly dial: Dial;
  /** Default: the relay's. */
  readonly workerUrl?: URL;
}): Sharing {
  const { clock, config, metrics, deadlines, random, tracing, workerUrl } = deps;
  const settings = config.sharing;
  const screens = createSharedScreens({
    clock,
    limits: settings,
    workers: settings.workers,
    tileCacheMiB: settings.tileCacheMiB,
    keepAliveMs: deadlines.keepAlive,
    metrics: metrics.screen,
    ...(workerUrl ? { workerUrl } : {}),
  });
  const { owners, forward, listener } = createRelayConnections({
    ...deps,
    metrics: metrics.sharing,
    accept: (request) => consoles.accept(request),
  });
  const consoles: SharedConsoles = createSharingDial({
    clock,
    random,
    log: deps.log,
    tracing,
    metrics: metrics.sharingDial,
    control: deps.control,
    dial: deps.dial,
    owners,
    forward,
    openScreen: (screen) => screens.open(screen),
    prepareScreen: () => screens.prepare(),
    healMs: settings.healSeconds * 1000,
    unwatchedMs: deadlines.unwatchedScreen,
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
