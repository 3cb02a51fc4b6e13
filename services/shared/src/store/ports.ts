/**
 * What Porthole needs from a store that all pods share. Two implementations, in memory and on Redis, pass one
 * and the same contract test (test/shared/store-contract.ts). Every method rejects with PortholeError
 * `store_unavailable` when the store does not answer in time.
 */
export interface Store {
  readonly records: RecordStore;
  readonly leases: LeaseStore;
  readonly signals: SignalBus;
  readonly rateLimits: RateLimits;
  /** Connects. Does not fail when the store is away: calls do, until it is back. */
  start(): Promise<void>;
  /** Whether the store answers now. Never rejects. */
  healthy(): Promise<boolean>;
  /** Lets go of everything. Idempotent. */
  stop(): Promise<void>;
}

/** Values that expire: grants, sign-ins, sessions, sealed by whoever writes them. */
export interface RecordStore {
  /** Writes or overwrites; gone after `ttlMs`. */
  put(key: string, value: string, ttlMs: number): Promise<void>;
  get(key: string): Promise<string | undefined>;
  /** Reads and deletes in one atomic step: of any number of takers, on any pods, exactly one gets the value. */
  take(key: string): Promise<string | undefined>;
  delete(key: string): Promise<void>;
  /**
   * Writes only if the value is still `expected`, in one atomic step: false, and nothing written, when somebody
   * else has written, taken or deleted it since, or when it expired.
   */
  replace(key: string, expected: string, value: string, ttlMs: number): Promise<boolean>;
  /** Deletes only if the value is still `expected`, in one atomic step. */
  remove(key: string, expected: string): Promise<boolean>;
}

/**
 * Counted, fair, self-expiring leases: a lock is a lease with `limit` 1, node slots are one with `limit` 3,
 * the quota of a user is one that nobody waits for. Holders are served in the order in which they first
 * asked; a holder that stops renewing (its pod died) loses its place after `ttlMs`. Coming back after that,
 * it is the last in line. Whoever moves up is not told: it learns so from its next `join`.
 *
 * The limit is the caller's, at every call: when it is lowered, the youngest holders are told that they wait.
 */
export interface LeaseStore {
  /**
   * Takes a place, or renews the one that `holder` has. Answers 0 when the lease is held, otherwise the
   * position in line, 1 being next. Call it again to move up and to stay alive.
   */
  join(name: string, holder: string, limit: number, ttlMs: number): Promise<number>;
  /**
   * Takes or renews without waiting: false, and no place in line, when `limit` others came before. Whoever
   * waits came before, too. A place in line that `holder` has already is neither renewed nor lost.
   */
  tryAcquire(name: string, holder: string, limit: number, ttlMs: number): Promise<boolean>;
  /** Gives up the lease or the place in line. Harmless when there is none. */
  release(name: string, holder: string): Promise<void>;
  /** How many hold or wait now, together. */
  count(name: string): Promise<number>;
  /** Those whom `count` counts, in the order in which they first asked, as digests (keys.ts): no store knows more. */
  list(name: string): Promise<readonly string[]>;
}

/** Short messages to every pod. At most once: whoever was not listening missed it. */
export interface SignalBus {
  publish(message: string): Promise<void>;
  /**
   * Calls back for every message from now on, also for those published here. Returns an unsubscriber; calling
   * that twice is harmless.
   */
  subscribe(listener: (message: string) => void): () => void;
}

export interface RateLimits {
  /**
   * Spends one of `points` that `key` has per `seconds`. Rejects with PortholeError `rate_limited`, with
   * `retryAfter`, when none is left. When the shared store is away, this pod's memory counts alone. `key` may
   * name people and addresses: no store sees it in clear.
   */
  spend(key: string, points: number, seconds: number): Promise<void>;
  /** Spends nothing, and rejects as `spend` would. */
  check(key: string, points: number, seconds: number): Promise<void>;
  /** Returns one point that was spent on the same key and budget. */
  refund(key: string, points: number, seconds: number): Promise<void>;
}
