import type { MachineControl, MachineControls } from '@porthole/shared/control/machine-controls';
import { lifetimes } from '@porthole/shared/store/keys';
import type { RelayMetrics } from '../metrics.ts';
import type { ConsoleOfMachine, ControllableConsole } from './controllable-console.ts';
import type { ControllablePlace } from './controllable-place.ts';
import { othersHoldBack, type HoldBackOthersDeps } from './hold-back-others.ts';

export interface WatchedMachineDeps extends HoldBackOthersDeps {
  readonly controls: Pick<MachineControls, 'read' | 'renew'>;
  readonly metrics: Pick<RelayMetrics, 'controlChanged' | 'controlHandedOver'>;
}

type FoundBy = 'signal' | 'poll';

const renewMs = lifetimes.machineControl / 3;

/**
 * One machine with consoles at this relay, or with a shared screen: who has control of it, and when that was read. Input
 * that must end with a change ends at once. Input that may begin with it waits until other relays have done the same.
 */
export class WatchedMachine {
  readonly machine: Pick<ConsoleOfMachine['claims'], 'cluster' | 'vmid'>;
  /** Few, so these are arrays: thousands of machines have one console and no place. */
  consoles: readonly ControllableConsole[] = [];
  #places: readonly ControllablePlace[] = [];
  readonly #deps: WatchedMachineDeps;
  #control: MachineControl | undefined;
  /** When the store was asked for what is known. */
  #readAt: number | undefined;
  /** The store has not answered, so nothing is known, or not any more. */
  #isOutdated = true;
  #renewedAt: number;
  #reading: Promise<void> | undefined;
  #readAgain = false;
  /** Present while other relays are waited for. */
  #handover: AbortController | undefined;

  constructor(deps: WatchedMachineDeps, machine: WatchedMachine['machine']) {
    this.#deps = deps;
    this.machine = machine;
    this.#renewedAt = deps.clock.now();
  }

  get isUnused(): boolean {
    return this.consoles.length === 0 && this.#places.length === 0;
  }

  /** Whether each poll has to read who has control, because that can end without a new revision. */
  get needsPolling(): boolean {
    return this.#control !== undefined || this.#isOutdated;
  }

  add(added: ControllableConsole | ControllablePlace): void {
    if ('console' in added) this.consoles = [...this.consoles, added];
    else this.#places = [...this.#places, added];
    const mustWait = this.#handover !== undefined && added.isAllowedBy(this.#control);
    if (!this.#isOutdated && !mustWait) added.apply(this.#control);
  }

  remove(removed: ControllableConsole | ControllablePlace): void {
    this.consoles = this.consoles.filter((each) => each !== removed);
    this.#places = this.#places.filter((each) => each !== removed);
    if (this.isUnused) this.#handover?.abort();
  }

  /** Reads who has control. Never rejects: if the store does not answer, what was known goes on for a while. */
  refresh(foundBy: FoundBy): Promise<void> {
    this.#readAgain = this.#reading !== undefined;
    return (this.#reading ??= this.#readUntilCurrent(foundBy));
  }

  /** While the store does not answer, control ends everywhere at the same time as its record would. */
  followTime(): void {
    const { clock } = this.#deps;
    if (!this.#control) return;
    for (const console of this.consoles) console.followTime();
    if (clock.now() - (this.#readAt ?? 0) >= lifetimes.machineControl) {
      this.#isOutdated = true;
      this.#change(undefined);
    } else if (clock.now() - this.#renewedAt >= renewMs) this.#renew();
  }

  #applyAll(control: MachineControl | undefined): void {
    this.#control = control;
    this.#handover?.abort();
    this.#handover = undefined;
    this.#holdBack();
    this.#letPass();
  }

  #change(control: MachineControl | undefined): void {
    this.#control = control;
    this.#handover?.abort();
    const handover = (this.#handover = new AbortController());
    this.#holdBack();
    this.#confirm();
    void othersHoldBack(this.#deps, this.machine, control?.sessionId, handover.signal).then(
      (confirmed) => {
        if (this.#handover !== handover) return;
        this.#handover = undefined;
        this.#deps.metrics.controlHandedOver(confirmed ? 'confirmed' : 'timeout');
        this.#letPass();
      },
      // Another change came before, or nothing is left to let pass.
      () => {},
    );
  }

  #holdBack(): void {
    for (const each of [...this.#places, ...this.consoles])
      if (!each.isAllowedBy(this.#control)) each.apply(this.#control);
  }

  #letPass(): void {
    for (const each of [...this.#places, ...this.consoles])
      if (each.isAllowedBy(this.#control)) each.apply(this.#control);
  }

  /** Without success, the other relays wait as long as they would for a lost one. */
  #confirm(): void {
    const { confirmations, relayId } = this.#deps;
    void confirmations.confirm(this.machine, relayId, this.#control?.sessionId).catch(() => {});
  }

  async #readUntilCurrent(foundBy: FoundBy): Promise<void> {
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
    if (!this.#control && !this.#handover) this.#applyAll(undefined);
  }

  async #read(foundBy: FoundBy): Promise<void> {
    const { controls, clock, metrics } = this.#deps;
    const askedAt = clock.now();
    const control = await controls.read(this.machine);
    const isFirst = this.#readAt === undefined;
    this.#readAt = askedAt;
    this.#isOutdated = false;
    if (isFirst) this.#applyAll(control);
    else if (control?.sessionId !== this.#control?.sessionId) {
      metrics.controlChanged(foundBy);
      this.#change(control);
      // It was read for a change that this relay has applied already, but other relays may wait for its word.
    } else if (foundBy === 'signal') this.#confirm();
  }

  #renew(): void {
    this.#renewedAt = this.#deps.clock.now();
    for (const { hasControl, console } of this.consoles)
      // Without success, the next third of the life has another try.
      if (hasControl) void this.#deps.controls.renew(this.machine, console.claims.sessionId).catch(() => {});
  }
}
