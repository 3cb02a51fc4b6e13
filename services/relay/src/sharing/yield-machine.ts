import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Log } from '@porthole/shared/telemetry/log';
import type { ForeignOwner, ForwardViewer } from './contracts.ts';
import type { MachineConsole } from './machine-console.ts';

/**
 * Another relay has taken a machine over, because it did not reach this one. Moves the viewers of this relay to it, so that
 * one console is left. They stay if this relay does not reach the new owner either: they would come back, and take the
 * machine over in turn. Does not reject.
 */
export async function yieldMachine(
  machine: Pick<MachineConsole, 'move'>,
  owner: ForeignOwner,
  deps: {
    readonly claims: GrantClaims;
    readonly forward: ForwardViewer;
    readonly log: Log;
    readonly signal: AbortSignal;
    /** The new owner answers: viewers that come from now on belong there. */
    readonly onReached: () => void;
  },
): Promise<void> {
  const { claims, forward, log, onReached, signal } = deps;
  const { cluster, vmid } = claims;
  try {
    if (owner.address === undefined) throw new Error('the new owner can not be reached by others');
    // A place that costs least, to find out whether viewers would get one.
    const probe = { ...claims, mode: 'view', thumbnail: true } as const;
    const link = await forward(owner.address, { claims: probe, signal, onNotice() {} });
    link.destroy();
  } catch (err) {
    log.warn({ cluster, vmid, err }, 'another relay has taken over the machine; its viewers here stay');
    return;
  }
  log.warn({ cluster, vmid }, 'another relay has taken over the machine; its viewers here move there');
  onReached();
  await machine.move(signal);
}
