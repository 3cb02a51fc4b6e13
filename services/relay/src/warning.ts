import type { Cancel, Clock } from '@porthole/shared/clock';
import type { ControlMessage, Notice } from '@porthole/shared/control-messages';

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

/** One timer that is set again for what is left, instead of one that every key press moves. */
export function createWarning(deps: {
  readonly clock: Clock;
  readonly tell: (message: ControlMessage) => void;
  readonly notice: Notice;
  readonly warnMs: number;
  readonly dueAt: () => number;
  readonly mayExtend: () => boolean;
}): Warning {
  const { clock, tell, notice, warnMs } = deps;
  let cancel: Cancel = () => {};
  let onDue = () => {};
  let warned = false;

  function look(): void {
    const left = deps.dueAt() - clock.now();
    if (left <= 0) {
      onDue();
      return;
    }
    if (left <= warnMs && !warned) {
      warned = true;
      tell({ type: 'notice', notice, seconds: Math.ceil(left / 1000), extend: deps.mayExtend() });
    }
    cancel = clock.after(warned ? left : left - warnMs, look);
  }

  return {
    get warned() {
      return warned;
    },
    watch(due) {
      onDue = due;
      look();
    },
    takeBack() {
      cancel();
      warned = false;
      tell({ type: 'notice_over', notice });
      look();
    },
    cancel: () => cancel(),
  };
}
