import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createWarning } from './expiry-notice.ts';

/** How long before the end a person is warned; at most half of what there is. */
const warnIdleMs = 60_000;
const warnTimeMs = 5 * 60_000;

/** The time of a session: when it ends, and when it ends because nobody uses it. Warns before both. */
export interface SessionTime {
  /** When it was first opened and when it ends, in milliseconds since the epoch; both outlive a connection. */
  readonly openedAt: number;
  endsAt(): number;
  /** Calls `over` once, with `time_limit` or `idle`. */
  start(over: (error: PortholeError) => void): Cancel;
  /** Real input from the person. */
  input(): void;
  /** "Keep it open": the answer to a notice. Without one it is about nothing. */
  extend(): void;
}

export function createSessionTime(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'limits' | 'resumes'>;
  readonly tell: (message: ControlMessage) => void;
}): SessionTime {
  const { clock, tell } = deps;
  const { limits, resumes } = deps.claims;
  const openedAt = resumes?.openedAt ?? clock.now();
  const lastEnd = openedAt + (limits.maxSessionSeconds ?? 0) * 1000;
  const extensionMs = (limits.extendSeconds ?? 0) * 1000;
  const idleMs = limits.idleSeconds * 1000;
  let endsAt = resumes?.endsAt ?? openedAt + limits.sessionSeconds * 1000;
  let lastInput = clock.now();
  const mayExtend = () => extensionMs > 0 && endsAt < lastEnd;

  const time = createWarning({
    clock,
    tell,
    notice: 'time',
    warnMs: Math.min(warnTimeMs, (endsAt - openedAt) / 2),
    dueAt: () => endsAt,
    mayExtend,
  });
  const idle = createWarning({
    clock,
    tell,
    notice: 'idle',
    warnMs: Math.min(warnIdleMs, idleMs / 2),
    dueAt: () => lastInput + idleMs,
    mayExtend: () => true,
  });

  function input(): void {
    lastInput = clock.now();
    if (idle.warned) idle.takeBack();
  }

  return {
    openedAt,
    endsAt: () => endsAt,
    start(over) {
      const cancel = () => {
        time.cancel();
        idle.cancel();
      };
      const end = (code: 'time_limit' | 'idle') => {
        cancel();
        over(new PortholeError(code));
      };
      time.watch(() => end('time_limit'));
      idle.watch(() => end('idle'));
      return cancel;
    },
    input,
    extend() {
      if (idle.warned) input();
      if (!time.warned || !mayExtend()) return;
      endsAt = Math.min(endsAt + extensionMs, lastEnd);
      time.takeBack();
    },
  };
}
