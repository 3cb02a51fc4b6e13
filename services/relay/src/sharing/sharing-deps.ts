import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { Clock } from '@porthole/shared/time/clock';
import type { ControlWatcher } from '../control/control-watcher.ts';
import type { SharedScreen, SharedScreenEvents } from '../screen/shared-screen-contract.ts';
import type { Dial } from '../upstream/dial.ts';
import type { SharingDialMetrics } from './sharing-dial-metrics.ts';

/** What the shared screens of a relay have in common. */
export interface SharingDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly tracing: Pick<Tracing, 'withSpan'>;
  readonly metrics: SharingDialMetrics;
  /** Enforces who has control of a machine at its shared screen. */
  readonly control: Pick<ControlWatcher, 'registerPlace'>;
  /** Opens a console at Proxmox. */
  readonly dial: Dial;
  /** Throws `screen_full` at the limits of the relay. `name` is the machine's, for the viewer's ServerInit. */
  readonly openScreen: (options: {
    readonly name: string;
    readonly events: SharedScreenEvents;
  }) => SharedScreen;
  /** Resolves when a screen can decode a picture at once. Does not reject. */
  readonly prepareScreen: () => Promise<void>;
  /** How long a lost console is opened again, in milliseconds. */
  readonly healMs: number;
  /** How long a screen without viewers is kept, in milliseconds. */
  readonly unwatchedMs: number;
}
