import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ControlMessage, Notice } from '@porthole/shared/protocol/control-messages';

/** A limit that is announced before it expires. */
export interface ExpiringLimit {
  readonly notice: Notice;
  /** How long before the expiry the viewer is told, in milliseconds. */
  readonly noticeMs: number;
  /** In milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly mayExtend: boolean;
  onExpired(): void;
}

/**
 * Announces a time limit to the viewer before it expires. One timer is set again for the time that is left, instead of
 * one that every key press moves.
 */
export class ExpiryNotice {
  readonly #clock: Clock;
  readonly #sendControl: (message: ControlMessage) => void;
  readonly #limit: ExpiringLimit;
  #cancelTimer: Cancel | undefined;
  #shown = false;
  #stopped = false;

  constructor(clock: Clock, sendControl: (message: ControlMessage) => void, limit: ExpiringLimit) {
    this.#clock = clock;
    this.#sendControl = sendControl;
    this.#limit = limit;
  }

  /** Whether the viewer was told and the notice was not withdrawn. */
  get shown(): boolean {
    return this.#shown;
  }

  start(): void {
    this.#check();
  }

  /** The limit expires later than announced. */
  withdraw(): void {
    if (this.#stopped) return;
    this.#cancelTimer?.();
    this.#shown = false;
    this.#sendControl({ type: 'notice_over', notice: this.#limit.notice });
    this.#check();
  }

  /** Stops for good. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #check(): void {
    const limit = this.#limit;
    if (this.#stopped) return;
    const left = limit.expiresAt - this.#clock.now();
    if (left <= 0) {
      limit.onExpired();
      return;
    }
    if (left <= limit.noticeMs && !this.#shown) {
      this.#shown = true;
      const { notice, mayExtend } = limit;
      this.#sendControl({ type: 'notice', notice, seconds: Math.ceil(left / 1000), extend: mayExtend });
    }
    this.#cancelTimer = this.#clock.after(this.#shown ? left : left - limit.noticeMs, () => this.#check());
  }
}
