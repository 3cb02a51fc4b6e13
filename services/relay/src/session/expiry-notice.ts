import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ControlMessage, Notice } from '@porthole/shared/protocol/control-messages';

interface ExpiryNoticeDeps {
  readonly clock: Clock;
  readonly sendControl: (message: ControlMessage) => void;
  readonly notice: Notice;
  /** How long before the expiry the viewer is told, in milliseconds. */
  readonly noticeMs: number;
  /** In milliseconds since the epoch. */
  readonly expiresAt: () => number;
  readonly mayExtend: () => boolean;
  readonly onExpired: () => void;
}

/**
 * A time limit that is announced to the viewer before it expires. One timer is set again for the time that is left,
 * instead of one that every key press moves.
 */
export class ExpiryNotice {
  readonly #deps: ExpiryNoticeDeps;
  #cancelTimer: Cancel | undefined;
  #shown = false;
  #stopped = false;

  constructor(deps: ExpiryNoticeDeps) {
    this.#deps = deps;
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
    this.#deps.sendControl({ type: 'notice_over', notice: this.#deps.notice });
    this.#check();
  }

  /** Stops for good. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #check(): void {
    const { clock, sendControl, notice, noticeMs, expiresAt, mayExtend, onExpired } = this.#deps;
    if (this.#stopped) return;
    const left = expiresAt() - clock.now();
    if (left <= 0) {
      onExpired();
      return;
    }
    if (left <= noticeMs && !this.#shown) {
      this.#shown = true;
      sendControl({ type: 'notice', notice, seconds: Math.ceil(left / 1000), extend: mayExtend() });
    }
    this.#cancelTimer = clock.after(this.#shown ? left : left - noticeMs, () => this.#check());
  }
}
