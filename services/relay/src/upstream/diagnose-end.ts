import { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind } from '@porthole/shared/grant/claims';
import { versionResponse } from '@porthole/shared/proxmox/responses';
import { sleep, type Clock } from '@porthole/shared/time/clock';
import { locate, type MachineId, type RelayCluster } from './machine.ts';

/** When a machine shuts down, its screen closes a moment before Proxmox reports that it stopped. */
const recheckMs = 500;

/** What the relay saw when a console ended. */
export interface ObservedEnd {
  readonly kind: ConsoleKind;
  /** The error, if the connection broke instead of being closed in order. */
  readonly broken: PortholeError | undefined;
  /** Whether something else than this console is known to have ended with it. Read after the checks. */
  readonly sharedLoss: () => boolean;
}

/**
 * Finds out why an open console has ended. Proxmox gives no reason: it closes the connection without a close frame, so
 * only the machine's status tells.
 *
 * The end of a terminal's program looks like the loss of its pveproxy worker: both are an orderly end of the TCP
 * connection, and both end the task with OK (pve-xtermjs termproxy main.rs). It counts as the program's end if the
 * connection did not break, the machine runs at the same node, that node's own pveproxy answers, and no other console
 * of the node ended at that moment.
 */
export async function diagnoseEnd(
  cluster: RelayCluster,
  id: MachineId,
  { kind, broken, sharedLoss }: ObservedEnd,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<PortholeError> {
  let runs = false;
  const check = async () => {
    const machine = await locate(cluster, id, signal);
    if (machine.status === 'stopped') return new PortholeError('machine_ended');
    if (machine.node !== id.node)
      return new PortholeError('machine_not_found', { detail: `the machine moved to ${machine.node}` });
    // Any node of the cluster knows which nodes are online.
    if (id.type === 'node')
      await cluster.client.get({ path: '/version', schema: versionResponse, host: machine.host, signal });
    runs = machine.status === 'running';
    return undefined;
  };
  try {
    const found = await check();
    if (found) return found;
    await sleep(clock, recheckMs, signal);
    const foundLater = await check();
    if (foundLater) return foundLater;
    if (kind === 'terminal' && runs && !broken && !sharedLoss()) return new PortholeError('terminal_ended');
    return (
      broken ??
      new PortholeError('console_lost', { detail: 'Proxmox closed the console of a running machine' })
    );
  } catch (error) {
    if (error instanceof PortholeError && error.code === 'machine_not_found') return error;
    return new PortholeError('console_lost', { cause: error });
  }
}
