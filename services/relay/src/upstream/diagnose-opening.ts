import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { readConsoleDevices } from './console-devices.ts';
import { locate, notRunning, type RelayCluster } from './machine.ts';

/**
 * Finds out why Proxmox opened a console that sent nothing, or closed it without a reason. It does both if the machine
 * has stopped, if it has no display, and if its QEMU hangs. Resolves with undefined for any other cause, for which a
 * retry may help. In these cases, it would fail too, and each attempt leaves a failed task at Proxmox.
 */
export async function diagnoseOpening(
  cluster: RelayCluster,
  claims: Pick<GrantClaims, 'kind' | 'node' | 'type' | 'vmid'>,
  signal: AbortSignal,
): Promise<PortholeError | undefined> {
  const machine = await locate(cluster, claims, signal);
  if (machine.status !== 'running') return notRunning(machine.status);
  if (claims.kind !== 'screen' || claims.type !== 'qemu') return undefined;
  const { display, serialPort } = await readConsoleDevices(machine, signal);
  if (!display)
    return new PortholeError(serialPort ? 'terminal_only' : 'no_display', {
      detail: 'the machine has vga: none',
    });
  if (!machine.monitorAnswers)
    return new PortholeError('console_unresponsive', { detail: "QEMU's monitor does not answer" });
  return undefined;
}
