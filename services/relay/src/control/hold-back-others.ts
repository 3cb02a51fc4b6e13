import type { ControlConfirmations } from '@porthole/shared/control/control-confirmations';
import type { ControlledMachine } from '@porthole/shared/control/machine-controls';
import type { SessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import { sleep, type Clock } from '@porthole/shared/time/clock';

export interface HoldBackOthersDeps {
  readonly sessions: Pick<SessionRecords, 'list'>;
  readonly confirmations: ControlConfirmations;
  readonly clock: Clock;
  readonly relayId: string;
}

/** A relay that works finds a change within this time, whose signal was lost. */
export const maxHandoverMs = 2000;
const retryMs = 25;

/**
 * Waits until all other relays with consoles of the machine hold back what they must while this session has control, or
 * no user has. Resolves with false if one of them has not confirmed that in time: it is lost, or cannot reach the store.
 * Rejects only if the signal is aborted.
 */
export async function othersHoldBack(
  { sessions, confirmations, clock, relayId }: HoldBackOthersDeps,
  machine: ControlledMachine,
  sessionId: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const until = clock.now() + maxHandoverMs;
  const leaseName = leaseNames.machine(machine.cluster, machine.vmid);

  async function allConfirmed(): Promise<boolean> {
    // Read again each time: a session that has ended is not waited for.
    const records = await sessions.list(leaseName);
    const relays = new Set(
      records.flatMap(({ mode, relay, disconnected }) => (mode === 'control' && !disconnected ? relay : [])),
    );
    relays.delete(relayId);
    const confirmed = await Promise.all(
      [...relays].map((relay) => confirmations.isConfirmed(machine, relay, sessionId)),
    );
    return confirmed.every(Boolean);
  }

  for (;;) {
    // Each attempt must see what has changed since the one before.
    // oxlint-disable-next-line no-await-in-loop
    if (await allConfirmed().catch(() => false)) return true;
    signal.throwIfAborted();
    if (clock.now() >= until) return false;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(clock, retryMs, signal);
  }
}
