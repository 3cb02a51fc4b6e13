import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { ExpiryNotice } from './expiry-notice.ts';

/** How long before the end the viewer is told, at most half of the time that there is. */
const idleNoticeMs = 60_000;
const timeNoticeMs = 5 * 60_000;

/** The time limits of a session: its duration and its idle time. The viewer is told before each expires. */
export interface TimeLimits {
  /** When the session was first opened, in milliseconds since the epoch; it outlives a connection. */
  readonly openedAt: number;
  /** When the session ends, in milliseconds since the epoch; it outlives a connection. */
  endsAt(): number;
  /** Calls `onExpired` once, with `time_limit` or `idle`. */
  start(onExpired: (error: PortholeError) => void): Cancel;
  /** Reports input of a person. */
  input(): void;
  /** Handles the viewer's answer to a notice. Without a notice it has no effect. Returns whether the end has changed. */
  extend(): boolean;
}

export function createTimeLimits(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'limits' | 'resumes'>;
  readonly sendControl: (message: ControlMessage) => void;
}): TimeLimits {
  const { clock, sendControl } = deps;
  const { limits, resumes } = deps.claims;
  const openedAt = resumes?.openedAt ?? clock.now();
  const latestEnd = openedAt + (limits.maxSessionSeconds ?? 0) * 1000;
  const extensionMs = (limits.extendSeconds ?? 0) * 1000;
  const idleMs = limits.idleSeconds * 1000;
  let endsAt = resumes?.endsAt ?? openedAt + limits.sessionSeconds * 1000;
  let lastInputAt = clock.now();
  let onExpired = (_error: PortholeError) => {};
  const mayExtend = () => extensionMs > 0 && endsAt < latestEnd;

  const time = new ExpiryNotice({
    clock,
    sendControl,
    notice: 'time',
    noticeMs: Math.min(timeNoticeMs, (endsAt - openedAt) / 2),
    expiresAt: () => endsAt,
    mayExtend,
    onExpired: () => expire('time_limit'),
  });
  const idle = new ExpiryNotice({
    clock,
    sendControl,
    notice: 'idle',
    noticeMs: Math.min(idleNoticeMs, idleMs / 2),
    expiresAt: () => lastInputAt + idleMs,
    mayExtend: () => true,
    onExpired: () => expire('idle'),
  });

  function stop(): void {
    time.stop();
    idle.stop();
  }

  function expire(code: 'time_limit' | 'idle'): void {
    stop();
    onExpired(new PortholeError(code));
  }

  function input(): void {
    lastInputAt = clock.now();
    if (idle.shown) idle.withdraw();
  }

  return {
    openedAt,
    endsAt: () => endsAt,
    start(listener) {
      onExpired = listener;
      time.start();
      idle.start();
      return stop;
    },
    input,
    extend() {
      if (idle.shown) input();
      if (!time.shown || !mayExtend()) return false;
      endsAt = Math.min(endsAt + extensionMs, latestEnd);
      time.withdraw();
      return true;
    },
  };
}
