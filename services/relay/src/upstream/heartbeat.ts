import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { MachineLink } from './proxmox-link.ts';

/** As often as viewers are asked. */
const pingMs = 20_000;
/** Longer than the relay itself may have stopped reading for a slow viewer, and less than a minute with one ping. */
const silentMs = 35_000;

/**
 * Asks Proxmox now and then whether it is still there: a host that lost its power, or a line that was cut without a
 * word, would else be noticed by whoever types next. pveproxy answers pings at once (AnyEvent.pm), but tells nobody.
 */
export function startMachinePulse(deps: {
  readonly clock: Clock;
  readonly link: Pick<MachineLink, 'ping'>;
  /** Bytes that have come from the machine so far. */
  readonly heard: () => number;
  /** How long each answer took, in seconds. */
  readonly answered: (seconds: number) => void;
  readonly gone: (error: PortholeError) => void;
}): Cancel {
  const { clock, link } = deps;
  let heard = deps.heard();
  let aliveAt = clock.now();
  return every(clock, pingMs, () => {
    const now = clock.now();
    if (deps.heard() !== heard) aliveAt = now;
    heard = deps.heard();
    if (now - aliveAt > silentMs) {
      deps.gone(new PortholeError('console_timeout', { detail: 'Proxmox answers no ping' }));
      return;
    }
    link.ping(() => {
      aliveAt = clock.now();
      deps.answered((aliveAt - now) / 1000);
    });
  });
}
