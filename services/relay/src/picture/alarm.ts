import type { Cancel, Clock } from '@porthole/shared/time/clock';

/** One timer for any number of due times. It calls back at the earliest of them; then all must be set again. */
export class Alarm {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #dueAt = Infinity;
  #cancel: Cancel = () => {};

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** `at` is in milliseconds of the clock. */
  setFor(at: number): void {
    if (at >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = at;
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#dueAt = Infinity;
      this.#onDue();
    });
  }

  /** For good. */
  stop(): void {
    this.#cancel();
    this.#dueAt = -Infinity;
  }
}
