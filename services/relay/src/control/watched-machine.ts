import type { MachineControl, MachineControls } from '@porthole/shared/control/machine-controls';
import { lifetimes } from '@porthole/shared/store/keys';
import type { Clock } from '@porthole/shared/time/clock';
import type { RelayMetrics } from '../metrics.ts';
import type { ConsoleOfMachine, ControllableConsole } from './controllable-console.ts';

export interface WatchedMachineDeps {
  readonly controls: Pick<MachineControls, 'read' | 'renew'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: Pick<RelayMetrics, 'controlChanged'>;
}

const renewMs = lifetimes.machineControl / 3;

/** One machine with consoles at this relay: who has control of it, and when that was read. */
export class WatchedMachine {
  readonly machine: Pick<ConsoleOfMachine['claims'], 'cluster' | 'vmid'>;
  readonly consoles = new Set<ControllableConsole>();
  readonly #deps: WatchedMachineDeps;
  #control: MachineControl | undefined;
  /** When the store was asked for what is known. */
  #readAt: number | undefined;
  /** The store has not answered, so nothing is known, or not any more. */
  #isOutdated = true;
  #renewedAt: number;
  #reading: Promise<void> | undefined;
  #readAgain = false;

  constructor(deps: WatchedMachineDeps, machine: WatchedMachine['machine']) {
    this.#deps = deps;
    this.machine = machine;
    this.#renewedAt = deps.clock.now();
  }

  /** Whether each poll has to read who has control, because that can end without a new revision. */
  get needsPolling(): boolean {
    return this.#control !== undefined || this.#isOutdated;
  }

  add(console: ControllableConsole): void {
    this.consoles.add(console);
    if (!this.#isOutdated) console.apply(this.#control);
  }

  /** Reads who has control. Never rejects: if the store does not answer, what was known goes on for a while. */
  refresh(foundBy: 'signal' | 'poll'): Promise<void> {
    this.#readAgain = this.#reading !== undefined;
    return (this.#reading ??= this.#readUntilCurrent(foundBy));
  }

  /** While the store does not answer, control ends everywhere at the same time as its record would. */
  followTime(): void {
    const { clock } = this.#deps;
    if (!this.#control) return;
    if (clock.now() - (this.#readAt ?? 0) >= lifetimes.machineControl) {
      this.#isOutdated = true;
      this.#applyAll(undefined);
    } else if (clock.now() - this.#renewedAt >= renewMs) this.#renew();
  }

  /** Input that is held back from now on is held back before other input passes. */
  #applyAll(control: MachineControl | undefined): void {
    this.#control = control;
    const consoles = [...this.consoles];
    for (const console of consoles) if (!console.isAllowedBy(control)) console.apply(control);
    for (const console of consoles) if (console.isAllowedBy(control)) console.apply(control);
  }

  async #readUntilCurrent(foundBy: 'signal' | 'poll'): Promise<void> {
    do {
      this.#readAgain = false;
      // Each read must see what the one before has missed.
      // oxlint-disable-next-line no-await-in-loop
      await this.#read(foundBy).catch(() => this.#onUnanswered());
    } while (this.#readAgain);
    this.#reading = undefined;
  }

  /** A console works although nothing is known, and a later poll finds who has control. */
  #onUnanswered(): void {
    this.#isOutdated ||= this.#control === undefined;
    if (!this.#control) this.#applyAll(undefined);
  }

  async #read(foundBy: 'signal' | 'poll'): Promise<void> {
    const { controls, clock, metrics } = this.#deps;
    const askedAt = clock.now();
    const control = await controls.read(this.machine);
    const isFirst = this.#readAt === undefined;
    this.#readAt = askedAt;
    this.#isOutdated = false;
    const isChange = control?.sessionId !== this.#control?.sessionId;
    if (!isFirst && isChange) metrics.controlChanged(foundBy);
    if (isFirst || isChange) this.#applyAll(control);
  }

  #renew(): void {
    this.#renewedAt = this.#deps.clock.now();
    for (const { hasControl, console } of this.consoles)
      // Without success, the next third of the life has another try.
      if (hasControl) void this.#deps.controls.renew(this.machine, console.claims.sessionId).catch(() => {});
  }
}
