import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { MachineLink } from './proxmox-link.ts';

const pingMs = 20_000;
/**
 * How long Proxmox may send nothing. Longer than the pump stops reading for a slow viewer, and short enough to notice
 * within a minute.
 */
const maxSilentMs = 35_000;

/**
 * Pings Proxmox, to notice a host without power or a network that drops packets. Without pings, such a connection looks
 * open until the next input. pveproxy answers pings but sends none (AnyEvent.pm).
 */
export function startUpstreamHeartbeat(clock: Clock, console: PingedConsole): Cancel {
  let { received } = console;
  let lastSeenAt = clock.now();
  return every(clock, pingMs, () => {
    const now = clock.now();
    if (console.received !== received) lastSeenAt = now;
    received = console.received;
    if (now - lastSeenAt > maxSilentMs) {
      console.onLost(new PortholeError('console_timeout', { detail: 'Proxmox does not answer pings' }));
      return;
    }
    console.link.ping(() => {
      lastSeenAt = clock.now();
      console.onPong((lastSeenAt - now) / 1000);
    });
  });
}

export interface PingedConsole {
  readonly link: Pick<MachineLink, 'ping'>;
  /** Bytes received from the machine so far. */
  readonly received: number;
  /** Called with the round-trip time of a ping, in seconds. */
  onPong(seconds: number): void;
  onLost(error: PortholeError): void;
}
