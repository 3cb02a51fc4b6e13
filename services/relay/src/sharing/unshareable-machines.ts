import type { Clock } from '@porthole/shared/time/clock';
import type { FallbackReason } from './sharing-dial-metrics.ts';

/** How long a picture that could not be shared is not tried again, in milliseconds. */
export const unshareableMs = 60_000;
const maxMachines = 1000;

/**
 * Remembers the machines whose picture could not be shared. Each attempt interrupts the first viewer and costs consoles at
 * Proxmox, so not every further viewer makes one.
 */
export class UnshareableMachines {
  readonly #clock: Pick<Clock, 'now'>;
  /** In the order of their failures. */
  readonly #failures = new Map<string, { readonly until: number; readonly reason: FallbackReason }>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  add(machine: string, reason: FallbackReason): void {
    this.#failures.delete(machine);
    this.#failures.set(machine, { until: this.#clock.now() + unshareableMs, reason });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > maxMachines && oldest !== undefined) this.#failures.delete(oldest);
  }

  /** Why the machine can't be shared now. */
  reasonFor(machine: string): FallbackReason | undefined {
    const failure = this.#failures.get(machine);
    if (!failure || failure.until > this.#clock.now()) return failure?.reason;
    this.#failures.delete(machine);
    return undefined;
  }
}
