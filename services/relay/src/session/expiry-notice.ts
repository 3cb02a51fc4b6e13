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

/** Announces a time limit to the viewer before it expires. */
export class ExpiryNotice {
  readonly #sendControl: (message: ControlMessage) => void;
  readonly #limit: ExpiringLimit;
  #shown = false;

  constructor(sendControl: (message: ControlMessage) => void, limit: ExpiringLimit) {
    this.#sendControl = sendControl;
    this.#limit = limit;
  }

  /** Whether the viewer was told and the notice was not withdrawn. */
  get shown(): boolean {
    return this.#shown;
  }

  /** The limit expires later than announced. */
  withdraw(): void {
    this.#shown = false;
    this.#sendControl({ type: 'notice_over', notice: this.#limit.notice });
  }

  /** Does what is due. Returns after how many milliseconds to call it again; 0: the limit has expired. */
  check(now: number): number {
    const limit = this.#limit;
    const left = limit.expiresAt - now;
    if (left <= 0) {
      limit.onExpired();
      return 0;
    }
    if (left <= limit.noticeMs && !this.#shown) {
      this.#shown = true;
      const { notice, mayExtend } = limit;
      this.#sendControl({ type: 'notice', notice, seconds: Math.ceil(left / 1000), extend: mayExtend });
    }
    return this.#shown ? left : left - limit.noticeMs;
  }
}
