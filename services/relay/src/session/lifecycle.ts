import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import { onAbort } from '@porthole/shared/time/on-abort';

/**
 * In this order, but `queued` and `opening` may alternate, `parked` is rare, and every state leads to `ending`. `ended`
 * is final.
 */
export const sessionStates = ['admitting', 'queued', 'opening', 'open', 'parked', 'ending', 'ended'] as const;
export type SessionState = (typeof sessionStates)[number];

const nextStates: Readonly<Record<SessionState, readonly SessionState[]>> = {
  admitting: ['queued', 'opening', 'ending'],
  queued: ['queued', 'opening', 'ending'],
  opening: ['queued', 'opening', 'open', 'ending'],
  open: ['parked', 'ending'],
  parked: ['ending'],
  ending: ['ended'],
  ended: [],
};

/** The viewer ended the session by itself, so there is nothing to tell it. */
export class ViewerLeft extends Error {}

/**
 * The state of one session and the owner of everything that it acquires. All transitions happen here. `end` can be
 * called in any state: the first call decides why the session ends and aborts `signal`; work in progress stops at its
 * next `await`, and `release` gives back what was acquired, the latest first, exactly once.
 */
export class SessionLifecycle {
  readonly #abort = new AbortController();
  readonly #resources = new AsyncDisposableStack();
  #acquiring: readonly Promise<unknown>[] = [];
  readonly #onEnding: (error: PortholeError | undefined) => void;
  #state: SessionState = 'admitting';

  /** `onEnding` is called once, as soon as the session is to end. */
  constructor(onEnding: (error: PortholeError | undefined) => void) {
    this.#onEnding = onEnding;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Aborted as soon as the session is to end, with the reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why the session ends: undefined if the viewer left, or while the session lives. */
  get error(): PortholeError | undefined {
    const { aborted, reason } = this.signal;
    return !aborted || reason instanceof ViewerLeft ? undefined : asPortholeError(reason);
  }

  /** Enters a state. Throws the reason if the session is to end. */
  enter(state: 'queued' | 'opening' | 'open' | 'parked'): void {
    this.signal.throwIfAborted();
    this.#transition(state);
  }

  /** Ends the session with an error's close code, or silently with `ViewerLeft`. Only the first call counts. */
  end(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#transition('ending');
    this.#abort.abort(reason);
    this.#onEnding(this.error);
  }

  /** Waits for `work`, but no longer than the session lives: then rejects with the reason. */
  async wait<T>(work: Promise<T>): Promise<T> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const stopListening = onAbort(this.signal, () => reject(this.signal.reason as Error));
    try {
      return await Promise.race([work, aborted]);
    } finally {
      stopListening();
    }
  }

  /** Waits like `wait` for a resource and owns it from then on. One that arrives too late is released at once. */
  async acquire<T>(work: Promise<T>, release: (resource: T) => Promise<void> | void): Promise<T> {
    const acquired = work.then((resource) => this.#ownAcquired(resource, release));
    this.#acquiring = [...this.#acquiring, acquired];
    try {
      return await this.wait(acquired);
    } finally {
      // If the session ends first, `release` waits for it.
      if (!this.signal.aborted) this.#acquiring = this.#acquiring.filter((each) => each !== acquired);
    }
  }

  #ownAcquired<T>(resource: T, release: (resource: T) => Promise<void> | void): T {
    this.own(() => release(resource));
    return resource;
  }

  /** Releases a resource when the session has ended. */
  own(release: () => Promise<void> | void): void {
    this.#resources.defer(release);
  }

  /**
   * Releases everything, after what is still being acquired has arrived. The session has ended then. Rejects with what
   * a release threw, after all of them.
   */
  async release(): Promise<void> {
    try {
      await Promise.allSettled(this.#acquiring);
      await this.#resources.disposeAsync();
    } finally {
      this.#transition('ended');
    }
  }

  #transition(next: SessionState): void {
    if (!nextStates[this.#state].includes(next))
      throw new Error(`A session that is ${this.#state} can't become ${next}.`);
    this.#state = next;
  }
}
