import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { ReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import type { TerminationOrders } from '@porthole/shared/session/termination-orders';
import type { ControlWatcher } from '../control/control-watcher.ts';
import type { LinkGauges } from '../stream/link-gauges.ts';
import type { Deadlines, InputDeadlines } from '../upstream/deadlines.ts';
import type { RelayCluster } from '../upstream/machine.ts';
import type { RecentEnds } from '../upstream/recent-ends.ts';
import type { AdmitDeps } from './admit.ts';
import type { JoinClasses } from './class-membership.ts';
import type { ObserverNotifier } from './observers.ts';
import type { OpenConsoleDeps } from './open-console.ts';
import type { RecordingDeps } from './recorded-session.ts';
import type { RegistrationDeps } from './registration.ts';
import type { SessionReporterDeps } from './session-reporter.ts';

/** What all sessions of a relay share. */
export interface SessionDeps
  extends AdmitDeps, RegistrationDeps, OpenConsoleDeps, RecordingDeps, SessionReporterDeps {
  readonly random: RandomBytes;
  readonly terminations: Pick<TerminationOrders, 'findFor'>;
  readonly observers: Pick<ObserverNotifier, 'register' | 'notifyChanged'>;
  readonly control: Pick<ControlWatcher, 'register'>;
  readonly joinClasses: JoinClasses;
  readonly reopenable: ReopenableSessions;
  readonly deadlines: InputDeadlines & Pick<Deadlines, 'diagnose' | 'keepAlive'>;
  readonly linkGauges: Pick<LinkGauges, 'add'>;
  readonly recentEnds: RecentEnds;
  readonly clusters: ReadonlyMap<string, RelayCluster>;
}
