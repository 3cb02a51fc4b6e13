import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { ExpiryNotice, type ExpiringLimit } from './expiry-notice.ts';

/** How long before the end the viewer is told, at most half of the time that there is. */
const idleNoticeMs = 60_000;
const timeNoticeMs = 5 * 60_000;

export interface TimeLimitsDeps {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'limits' | 'resumes'>;
  readonly sendControl: (message: ControlMessage) => void;
}

/** The time limits of a session: its duration and its idle time. The viewer is told before each expires. */
export class TimeLimits {
  readonly #duration: DurationLimit;
  readonly #idle: IdleLimit;
  readonly #durationNotice: ExpiryNotice;
  readonly #idleNotice: ExpiryNotice;
  readonly #clock: Clock;
  #onExpired: ((error: PortholeError) => void) | undefined;
  #cancelTimer: Cancel | undefined;
  #stopped = false;
  #hadInput = false;

  constructor({ clock, claims, sendControl }: TimeLimitsDeps) {
    this.#clock = clock;
    const expire = (code: 'time_limit' | 'idle') => this.#expire(code);
    this.#duration = new DurationLimit(claims, clock.now(), expire);
    this.#idle = new IdleLimit(clock, claims.limits.idleSeconds * 1000, expire);
    this.#durationNotice = new ExpiryNotice(sendControl, this.#duration);
    this.#idleNotice = new ExpiryNotice(sendControl, this.#idle);
  }

  /** When the session was first opened, in milliseconds since the epoch; it outlives a connection. */
  get openedAt(): number {
    return this.#duration.openedAt;
  }

  /** When the session ends, in milliseconds since the epoch; it outlives a connection. */
  get endsAt(): number {
    return this.#duration.expiresAt;
  }

  /** Whether there was any input of a person since the limits began. */
  get hadInput(): boolean {
    return this.#hadInput;
  }

  /** Calls `onExpired` once, with `time_limit` or `idle`. */
  start(onExpired: (error: PortholeError) => void): void {
    this.#onExpired = onExpired;
    this.#check();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  /** Reports input of a person. */
  input(): void {
    this.#hadInput = true;
    this.restartIdle();
  }

  /** The idle time begins now, although there was no input. */
  restartIdle(): void {
    this.#idle.restart();
    if (this.#idleNotice.shown) this.#withdraw(this.#idleNotice);
  }

  /** Handles the viewer's answer to a notice. Without a notice it has no effect. Returns whether the end has changed. */
  extend(): boolean {
    if (this.#idleNotice.shown) this.input();
    if (!this.#durationNotice.shown || !this.#duration.mayExtend) return false;
    this.#duration.extend();
    this.#withdraw(this.#durationNotice);
    return true;
  }

  #withdraw(notice: ExpiryNotice): void {
    if (this.#stopped) return;
    notice.withdraw();
    this.#check();
  }

  /** One timer is set again for the time that is left, instead of one that every key press moves. */
  #check(): void {
    this.#cancelTimer?.();
    const now = this.#clock.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const notice of [this.#durationNotice, this.#idleNotice])
      if (!this.#stopped) nextMs = Math.min(nextMs, notice.check(now));
    if (!this.#stopped) this.#cancelTimer = this.#clock.after(nextMs, () => this.#check());
  }

  #expire(code: 'time_limit' | 'idle'): void {
    this.stop();
    this.#onExpired?.(new PortholeError(code));
  }
}

class DurationLimit implements ExpiringLimit {
  readonly notice = 'time';
  readonly openedAt: number;
  readonly noticeMs: number;
  readonly #latestEnd: number;
  readonly #extensionMs: number;
  readonly #expire: (code: 'time_limit') => void;
  expiresAt: number;

  constructor(
    { limits, resumes }: TimeLimitsDeps['claims'],
    now: number,
    expire: (code: 'time_limit') => void,
  ) {
    this.openedAt = resumes?.openedAt ?? now;
    this.expiresAt = resumes?.endsAt ?? this.openedAt + limits.sessionSeconds * 1000;
    this.noticeMs = Math.min(timeNoticeMs, (this.expiresAt - this.openedAt) / 2);
    this.#latestEnd = this.openedAt + (limits.maxSessionSeconds ?? 0) * 1000;
    this.#extensionMs = (limits.extendSeconds ?? 0) * 1000;
    this.#expire = expire;
  }

  get mayExtend(): boolean {
    return this.#extensionMs > 0 && this.expiresAt < this.#latestEnd;
  }

  extend(): void {
    this.expiresAt = Math.min(this.expiresAt + this.#extensionMs, this.#latestEnd);
  }

  onExpired(): void {
    this.#expire('time_limit');
  }
}

class IdleLimit implements ExpiringLimit {
  readonly notice = 'idle';
  readonly mayExtend = true;
  readonly noticeMs: number;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #expire: (code: 'idle') => void;
  #lastInputAt: number;

  constructor(clock: Clock, idleMs: number, expire: (code: 'idle') => void) {
    this.noticeMs = Math.min(idleNoticeMs, idleMs / 2);
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#expire = expire;
    this.#lastInputAt = clock.now();
  }

  get expiresAt(): number {
    return this.#lastInputAt + this.#idleMs;
  }

  restart(): void {
    this.#lastInputAt = this.#clock.now();
  }

  onExpired(): void {
    this.#expire('idle');
  }
}
