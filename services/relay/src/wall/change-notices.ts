import type { Cancel, Clock } from '@porthole/shared/time/clock';

/** Least milliseconds between two notices: a class in which all raise their hands changes many times per second. */
const noticeMs = 500;

/** Tells a page that its class has changed: at once, but not more often than it can ask what. */
export class ChangeNotices {
  readonly #clock: Clock;
  readonly #notify: () => void;
  #notifiedAt = -Infinity;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, notify: () => void) {
    this.#clock = clock;
    this.#notify = notify;
  }

  changed(): void {
    const waitMs = Math.max(0, this.#notifiedAt + noticeMs - this.#clock.now());
    this.#cancel ??= this.#clock.after(waitMs, () => {
      this.#cancel = undefined;
      this.#notifiedAt = this.#clock.now();
      this.#notify();
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}
