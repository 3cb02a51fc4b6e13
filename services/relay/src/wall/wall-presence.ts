import type { ConsoleSignals } from '@porthole/shared/session/signals';
import type { WallRecords, WallUser } from '@porthole/shared/session/walls';
import { lifetimes } from '@porthole/shared/store/keys';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';

interface Machine {
  readonly cluster: string;
  readonly vmid: number;
}

/**
 * Lets the users of machines know that a wall shows them. A machine that was shown once counts until the wall ends, so
 * that the notice does not come and go while the page is scrolled.
 */
export class WallPresence {
  readonly #walls: WallRecords;
  readonly #signals: Pick<ConsoleSignals, 'publish'>;
  readonly #wallId: string;
  readonly #machines = new Map<string, Machine>();
  readonly #cancels: readonly Cancel[];
  /** One store call at a time, so that nothing is written after the removal. */
  #lastCall: Promise<unknown> = Promise.resolve();

  private constructor(deps: WallPresenceDeps, wallId: string, user: WallUser) {
    this.#walls = deps.walls;
    this.#signals = deps.signals;
    this.#wallId = wallId;
    const { clock } = deps;
    this.#cancels = [
      every(clock, lifetimes.wall / 3, () => this.#call(() => this.#walls.keep(wallId, user))),
      every(clock, lifetimes.consoleLease / 3, () =>
        this.#call(() => this.#walls.show(wallId, [...this.#machines.values()])),
      ),
    ];
  }

  /** Rejects with `store_unavailable`: a wall that cannot be announced is not opened. */
  static async create(deps: WallPresenceDeps, wallId: string, user: WallUser): Promise<WallPresence> {
    await deps.walls.keep(wallId, user);
    return new WallPresence(deps, wallId, user);
  }

  /** Machines that were shown. */
  get size(): number {
    return this.#machines.size;
  }

  /** Resolves when the machines' users can be told. Rejects with `store_unavailable`. */
  async show(machines: readonly Machine[]): Promise<void> {
    const added = machines.filter((machine) => !this.#machines.has(keyOf(machine)));
    if (added.length === 0) {
      await this.#lastCall;
      return;
    }
    for (const machine of added) this.#machines.set(keyOf(machine), machine);
    await this.#queue(() => this.#walls.show(this.#wallId, added));
    this.#announce(added);
  }

  /** Does not reject: what cannot be removed expires. */
  async remove(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    const machines = [...this.#machines.values()];
    await this.#queue(() => this.#walls.remove(this.#wallId, machines)).catch(() => {});
    this.#announce(machines);
  }

  /** If a signal is lost, relays find out by polling. */
  #announce(machines: readonly Machine[]): void {
    for (const { cluster, vmid } of machines)
      void this.#signals.publish({ type: 'observers', cluster, vmid }).catch(() => {});
  }

  /** While the store is unavailable, the wall goes on. */
  #call(work: () => Promise<void>): void {
    void this.#queue(work).catch(() => {});
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const call = this.#lastCall.then(work);
    this.#lastCall = call.catch(() => {});
    return call;
  }
}

export interface WallPresenceDeps {
  readonly walls: WallRecords;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
  readonly clock: Clock;
}

const keyOf = ({ cluster, vmid }: Machine): string => `${cluster}/${vmid}`;
