import type { Log } from '../telemetry/log.ts';
import type { HostStateChange } from './circuit-breaking-dial.ts';

/** Logs when the circuit breaker of a host opens and when it closes: one line each, however many calls fail. */
export function createHostStateLogger(
  cluster: string,
  log: Pick<Log, 'info' | 'warn'>,
): (change: HostStateChange) => void {
  return ({ host, state, error }) => {
    if (state === 'open') log.warn({ cluster, host, err: error }, 'Proxmox host is unavailable');
    else log.info({ cluster, host }, 'Proxmox host is available again');
  };
}
