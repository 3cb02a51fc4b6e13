import type { Cancel, Clock } from '@porthole/shared/time/clock';

/** Enter and Ctrl+C: a terminal answers them, even if its program does not read or hides what is typed. */
const answeredKeys = [0x0d, 0x0a, 0x03];

/**
 * Notices a terminal that writes nothing after input that terminals answer, such as a container's whose dtach has
 * stopped: Proxmox still calls the connection open.
 */
export class AnswerWatch {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #onChange: (answers: boolean) => void;
  #cancel: Cancel | undefined;
  #unanswered = false;

  /** `onChange` is called with false when the terminal has not answered for `afterMs`, and with true when it does. */
  constructor(deps: {
    readonly clock: Clock;
    readonly afterMs: number;
    readonly onChange: (answers: boolean) => void;
  }) {
    this.#clock = deps.clock;
    this.#afterMs = deps.afterMs;
    this.#onChange = deps.onChange;
  }

  /** Input was sent to the terminal. */
  sent(input: Buffer): void {
    if (this.#cancel || this.#unanswered || !answeredKeys.some((key) => input.includes(key))) return;
    this.#cancel = this.#clock.after(this.#afterMs, () => {
      this.#cancel = undefined;
      this.#unanswered = true;
      this.#onChange(false);
    });
  }

  /** The terminal wrote something. */
  received(): void {
    this.stop();
    if (!this.#unanswered) return;
    this.#unanswered = false;
    this.#onChange(true);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
