import { combineAudits } from '@porthole/shared/audit/audit';
import { createAuditTrail } from '@porthole/shared/audit/trail';
import { createControlConfirmations } from '@porthole/shared/control/control-confirmations';
import { createMachineControls } from '@porthole/shared/control/machine-controls';
import { createClassStates } from '@porthole/shared/class/class-states';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { createSessionRecords } from '@porthole/shared/session/records';
import { createWallRecords } from '@porthole/shared/session/walls';
import { createObserverNotifier } from './session/observers.ts';
import type { Audit } from '@porthole/shared/audit/audit';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Store } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';

export interface SharedRecordsDeps {
  readonly store: Store;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** Writes audit events besides the audit trail. */
  readonly audit?: Audit | undefined;
}

/** Creates what relays and brokers share in the store. */
export function createSharedRecords({ store, keys, random, clock, audit }: SharedRecordsDeps) {
  const { records, leases } = store;
  const signals = createConsoleSignals({ bus: store.signals, keys, random, clock });
  const sessions = createSessionRecords({ records, leases, keys, random });
  const walls = createWallRecords({ records, leases, keys, random });
  const auditTrail = createAuditTrail({ service: 'relay', store, keys, random, clock });
  return {
    signals,
    sessions,
    walls,
    terminations: createTerminationOrders({ records, signals, keys, random, clock }),
    observers: createObserverNotifier({ sessions, walls, signals, clock }),
    states: createClassStates({ records, leases, signals, keys, random }),
    controls: createMachineControls({ records, signals, keys, random }),
    confirmations: createControlConfirmations({ records, keys, random }),
    audit: combineAudits(audit, auditTrail.record),
  };
}
