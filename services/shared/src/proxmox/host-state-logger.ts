import type { Log } from '../telemetry/log.ts';
import type { HostStateChange } from './circuit-breaking-dial.ts';

/** One line when a host is left alone and one when it answers again, however many people ask for it meanwhile. */
export function createHostStateLogger(
  cluster: string,
  log: Pick<Log, 'info' | 'warn'>,
): (change: HostStateChange) => void {
  return ({ host, state, error }) => {
    if (state === 'open') log.warn({ cluster, host, err: error }, 'a Proxmox host does not answer');
    else log.info({ cluster, host }, 'a Proxmox host answers again');
  };
}
