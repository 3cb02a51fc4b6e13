import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { MachineLink } from './proxmox-link.ts';

const pingMs = 20_000;
/** Longer than the relay itself may have stopped reading for a slow viewer, and less than a minute with one ping. */
const maxSilentMs = 35_000;

/**
 * Pings Proxmox, to notice a host that lost its power or a network that drops packets: without a ping, such a
 * connection looks alive until the next input. pveproxy answers pings at once, but sends none (AnyEvent.pm).
 */
export function startUpstreamHeartbeat(deps: {
  readonly clock: Clock;
  readonly link: Pick<MachineLink, 'ping'>;
  /** Bytes received from the machine so far. */
  readonly received: () => number;
  /** Round-trip time of a ping, in seconds. */
  readonly onAnswered: (seconds: number) => void;
  readonly onLost: (error: PortholeError) => void;
}): Cancel {
  const { clock, link } = deps;
  let received = deps.received();
  let aliveAt = clock.now();
  return every(clock, pingMs, () => {
    const now = clock.now();
    if (deps.received() !== received) aliveAt = now;
    received = deps.received();
    if (now - aliveAt > maxSilentMs) {
      deps.onLost(new PortholeError('console_timeout', { detail: 'Proxmox answers no ping' }));
      return;
    }
    link.ping(() => {
      aliveAt = clock.now();
      deps.onAnswered((aliveAt - now) / 1000);
    });
  });
}
