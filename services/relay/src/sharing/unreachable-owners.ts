import type { Clock } from '@porthole/shared/time/clock';
import type { ForeignOwner } from './contracts.ts';

/** Shorter than the life of an owner record: an owner may be reachable again. */
const rememberedMs = 5000;
const maxMachines = 1000;

/**
 * Remembers for a moment which owners of machines did not answer. Viewers of a relay that was lost come back at the same
 * time: each of them would find the same record and try the same owner.
 */
export class UnreachableOwners {
  readonly #clock: Pick<Clock, 'now'>;
  /** In the order of their failures. */
  readonly #owners = new Map<string, { readonly owner: ForeignOwner; readonly until: number }>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  add(machine: string, owner: ForeignOwner): void {
    this.#owners.delete(machine);
    this.#owners.set(machine, { owner, until: this.#clock.now() + rememberedMs });
    const [oldest] = this.#owners.keys();
    if (this.#owners.size > maxMachines && oldest !== undefined) this.#owners.delete(oldest);
  }

  /** The owner of the machine that did not answer a moment ago. */
  of(machine: string): ForeignOwner | undefined {
    const found = this.#owners.get(machine);
    if (!found || found.until > this.#clock.now()) return found?.owner;
    this.#owners.delete(machine);
    return undefined;
  }
}
