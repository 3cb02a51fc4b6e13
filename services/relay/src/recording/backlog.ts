import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';

/** Interval at which consoles that wait are looked after. */
const lookMs = 10;
/** A thread that takes nothing for so long does not come back, so nothing waits for it any longer. */
const stuckMs = 10_000;
/** What a console may send while the thread is behind, before it waits: others, which send little, never wait then. */
const shareBytes = 256 * 1024;

export interface BacklogDeps {
  readonly clock: Clock;
  /** Milliseconds of a clock that is not set. */
  readonly monotonicMs: () => number;
  readonly maxBytes: number;
  /** Finds out what the thread has taken, and calls `remove`. */
  readonly look: () => void;
  /** More than `maxBytes` wait, or the thread takes nothing any more. Called once until the thread has caught up. */
  readonly onFull: () => void;
  /** A console has waited. */
  readonly onWaited: (seconds: number) => void;
}

interface Waiting {
  readonly sinceMs: number;
  readonly onCaughtUp: () => void;
}

/**
 * What waits for the recording thread. If that is more than half of what is allowed, the consoles that send most wait until
 * the thread has caught up; above three quarters, all do. So a burst makes consoles slower, and loses nothing.
 */
export class Backlog {
  readonly #deps: BacklogDeps;
  #bytes = 0;
  /** What each part has sent since the thread has been behind. Undefined while it keeps up. */
  #sent: Map<number, number> | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #full = false;
  #idleMs = 0;
  #cancelLooks: Cancel | undefined;

  constructor(deps: BacklogDeps) {
    this.#deps = deps;
  }

  add(bytes: number): void {
    const { maxBytes, clock } = this.#deps;
    this.#bytes += bytes;
    if (this.#bytes > maxBytes) this.#onFull();
    if (this.#sent || this.#bytes <= maxBytes / 2) return;
    this.#sent = new Map();
    this.#idleMs = 0;
    this.#cancelLooks = every(clock, lookMs, () => this.#look());
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    this.#idleMs = 0;
    if (this.#bytes <= this.#deps.maxBytes / 4) this.#onCaughtUp();
  }

  /** A part has sent bytes. */
  count(part: number, bytes: number): void {
    this.#sent?.set(part, (this.#sent.get(part) ?? 0) + bytes);
  }

  /** Whether this part must send nothing more until `onCaughtUp` is called, once. */
  mustWait(part: number, onCaughtUp: () => void): boolean {
    if (!this.#sent || this.#full) return false;
    const waits = (this.#sent.get(part) ?? 0) > shareBytes || this.#bytes > (this.#deps.maxBytes * 3) / 4;
    if (waits) this.#waiting.set(part, { sinceMs: this.#deps.monotonicMs(), onCaughtUp });
    return waits;
  }

  /** The part has ended. If it waits, it does so no longer. */
  release(part: number): void {
    const waiting = this.#waiting.get(part);
    if (!waiting) return;
    this.#waiting.delete(part);
    this.#deps.onWaited((this.#deps.monotonicMs() - waiting.sinceMs) / 1000);
    waiting.onCaughtUp();
  }

  /** The thread is gone, with what waited for it. */
  clear(): void {
    this.#bytes = 0;
    this.#onCaughtUp();
  }

  #look(): void {
    this.#idleMs += lookMs;
    this.#deps.look();
    if (this.#sent && this.#idleMs >= stuckMs) this.#onFull();
  }

  #onFull(): void {
    if (this.#full) return;
    this.#full = true;
    this.#releaseAll();
    this.#deps.onFull();
  }

  #onCaughtUp(): void {
    this.#full = false;
    if (!this.#sent) return;
    this.#sent = undefined;
    this.#cancelLooks?.();
    this.#cancelLooks = undefined;
    this.#releaseAll();
  }

  #releaseAll(): void {
    for (const part of this.#waiting.keys()) this.release(part);
  }
}
