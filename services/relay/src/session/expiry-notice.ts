import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ControlMessage, Notice } from '@porthole/shared/protocol/control-messages';

/** Something that will be due, and is announced before. */
export interface Warning {
  /** It was announced and has not been taken back. */
  readonly warned: boolean;
  /** Calls `due` when it is. */
  watch(due: () => void): void;
  /** It is due later than was announced. */
  takeBack(): void;
  cancel(): void;
}

interface WarningDeps {
  readonly clock: Clock;
  readonly tell: (message: ControlMessage) => void;
  readonly notice: Notice;
  readonly warnMs: number;
  readonly dueAt: () => number;
  readonly mayExtend: () => boolean;
}

/** One timer that is set again for what is left, instead of one that every key press moves. */
export function createWarning(deps: WarningDeps): Warning {
  return new TimedWarning(deps);
}

class TimedWarning implements Warning {
  readonly #deps: WarningDeps;
  #cancel: Cancel | undefined;
  #onDue: (() => void) | undefined;
  #warned = false;

  constructor(deps: WarningDeps) {
    this.#deps = deps;
  }

  get warned(): boolean {
    return this.#warned;
  }

  watch(due: () => void): void {
    this.#onDue = due;
    this.#look();
  }

  takeBack(): void {
    this.cancel();
    this.#warned = false;
    this.#deps.tell({ type: 'notice_over', notice: this.#deps.notice });
    this.#look();
  }

  cancel(): void {
    this.#cancel?.();
  }

  #look(): void {
    const { clock, tell, notice, warnMs, dueAt, mayExtend } = this.#deps;
    const left = dueAt() - clock.now();
    if (left <= 0) {
      this.#onDue?.();
      return;
    }
    if (left <= warnMs && !this.#warned) {
      this.#warned = true;
      tell({ type: 'notice', notice, seconds: Math.ceil(left / 1000), extend: mayExtend() });
    }
    this.#cancel = clock.after(this.#warned ? left : left - warnMs, () => this.#look());
  }
}
