import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { Link } from '../stream/link.ts';
import type { Viewer } from '../viewer/viewer.ts';

/** Bytes that a viewer may send to a parked console: those in transit, at most one paste. */
const maxDiscardedBytes = 2 * 1024 * 1024;

/** Decides when the console of a hidden page is parked: when the page has been hidden without interruption. */
export class Parking {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #mayPark: () => boolean;
  #onPark: (() => void) | undefined;
  #hidden = false;
  #cancelTimer: Cancel | undefined;

  constructor(deps: {
    readonly clock: Clock;
    /** How long the page must be hidden, in milliseconds. */
    readonly delayMs: number;
    /** Whether the session can do without its console now. If not, it is asked again after `delayMs`. */
    readonly mayPark: () => boolean;
  }) {
    this.#clock = deps.clock;
    this.#delayMs = deps.delayMs;
    this.#mayPark = deps.mayPark;
  }

  /** Calls `onPark` once, unless it is stopped before. */
  start(onPark: () => void): void {
    this.#onPark = onPark;
    this.#schedule();
  }

  stop(): void {
    this.#onPark = undefined;
    this.#cancelTimer?.();
  }

  /** The page says whether it is hidden. Repeating it changes nothing. */
  setHidden(hidden: boolean): void {
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    this.#schedule();
  }

  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (!this.#hidden || !this.#onPark) return;
    this.#cancelTimer = this.#clock.after(this.#delayMs, () => this.#check());
  }

  #check(): void {
    const onPark = this.#onPark;
    if (!onPark || !this.#mayPark()) {
      this.#schedule();
      return;
    }
    this.stop();
    onPark();
  }
}

/**
 * Answers undefined if the console is never parked: by its grant, without control messages, and if it is a terminal. A
 * terminal's program may write while the page is hidden, and may end when its console is closed.
 */
export function createParking(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'kind' | 'limits'>;
  readonly viewer: Pick<Viewer, 'supportsControlMessages'>;
  /** Whether the session can do without its console now. */
  readonly mayPark: () => boolean;
}): Parking | undefined {
  const { clock, claims, viewer, mayPark } = deps;
  const { parkSeconds } = claims.limits;
  if (claims.kind !== 'screen' || !viewer.supportsControlMessages || parkSeconds === undefined)
    return undefined;
  return new Parking({ clock, delayMs: parkSeconds * 1000, mayPark });
}

/** Waits until the viewer of a parked console leaves. Resolves with its error, if there is one. Discards its input. */
export function waitWhileParked(link: Link): Promise<PortholeError | undefined> {
  const { promise, resolve } = Promise.withResolvers<PortholeError | undefined>();
  let discarded = 0;
  link.setHandler({
    onBytes(_source, start, end) {
      discarded += end - start;
      if (discarded > maxDiscardedBytes)
        resolve(new PortholeError('viewer_message_too_big', { detail: 'too much input while parked' }));
    },
    onEnded: resolve,
  });
  // The machine may have been behind.
  link.resume();
  return promise;
}
