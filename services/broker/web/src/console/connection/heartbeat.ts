import type { Cancel, Clock } from '@porthole/shared/time/clock';

/** After this time without a sign of life, a ping is sent. */
const pingAfterMs = 5000;
/** After this time without a sign of life, the connection counts as dead. */
const deadAfterMs = 12_000;
/** How long a check waits for a sign of life. */
const checkMs = 5000;
const tickMs = 1000;
/** A tick that is this late means that the page was suspended or blocked, and what arrived meanwhile is still unread. */
const lateMs = 2000;
/** Keeps the pings well below the relay's limit for text messages. */
const minPingIntervalMs = 2000;

export interface Heartbeat {
  /** Something arrived, whatever it is. */
  received(): void;
  /** Pings at once and expects a sign of life soon: the page became visible, or the network changed. */
  check(): void;
  stop(): void;
}

/**
 * Detects a connection that carries nothing any more although neither side closed it. Browsers report that only after
 * minutes. Any message that arrives is a sign of life, and so is a send buffer that empties: on a slow link, a pong can
 * be late behind a large picture or a large paste.
 */
export function startHeartbeat(deps: {
  readonly clock: Clock;
  /** Browsers throttle the timers of a hidden page, so a hidden page sends no pings. */
  readonly visible: () => boolean;
  /** Bytes that wait in the page to be sent. */
  readonly bufferedAmount: () => number;
  readonly sendPing: () => void;
  /** Called once. The heartbeat has stopped then. */
  readonly onDead: () => void;
}): Heartbeat {
  const { clock } = deps;
  let lastSignAt = clock.now();
  let lastPingAt = Number.NEGATIVE_INFINITY;
  let buffered = 0;
  /** When the unanswered ping proves the connection dead. */
  let deadline: number | undefined;
  let cancelTick: Cancel | undefined;
  let stopped = false;

  function received(): void {
    lastSignAt = clock.now();
    deadline = undefined;
  }

  function ping(answerBy: number): void {
    lastPingAt = clock.now();
    deadline = answerBy;
    deps.sendPing();
  }

  function tick(dueAt: number): void {
    cancelTick = undefined;
    if (!deps.visible()) {
      deadline = undefined;
      return;
    }
    const now = clock.now();
    const amount = deps.bufferedAmount();
    if (amount < buffered) received();
    buffered = amount;
    if (now - dueAt >= lateMs) ping(now + checkMs);
    else if (deadline === undefined) {
      if (now - lastSignAt >= pingAfterMs) ping(Math.max(lastSignAt + deadAfterMs, now + checkMs));
    } else if (now >= deadline) {
      stopped = true;
      deps.onDead();
      return;
    }
    scheduleTick();
  }

  function scheduleTick(): void {
    const dueAt = clock.now() + tickMs;
    cancelTick = clock.after(tickMs, () => tick(dueAt));
  }

  function check(): void {
    if (stopped || !deps.visible()) return;
    const now = clock.now();
    if (now - lastPingAt >= minPingIntervalMs) ping(Math.min(deadline ?? Infinity, now + checkMs));
    else if (deadline !== undefined) deadline = Math.min(deadline, now + checkMs);
    if (!cancelTick) scheduleTick();
  }

  if (deps.visible()) scheduleTick();
  return {
    received,
    check,
    stop() {
      stopped = true;
      cancelTick?.();
    },
  };
}
