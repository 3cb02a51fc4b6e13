/**
 * The store that all pods share. Both implementations, in memory and on Redis, pass the same contract tests
 * (test/shared/store/contract/describe-store.ts). Every method rejects with PortholeError `store_unavailable` if the
 * store does not respond in time, is full, or was stopped.
 */
export interface Store {
  readonly records: RecordStore;
  readonly leases: LeaseStore;
  readonly signals: SignalBus;
  readonly rateLimits: RateLimits;
  /** Connects. Does not reject while the store is unavailable; calls do. Idempotent. */
  start(): Promise<void>;
  /** Whether the store responds now. Never rejects. */
  healthy(): Promise<boolean>;
  /** Closes all connections and drops all subscriptions. Idempotent. */
  stop(): Promise<void>;
}

/** Values that expire, such as grants, sign-ins and sessions. Use sealed-records.ts to write them. */
export interface RecordStore {
  /** Writes or overwrites the value, which expires after `ttlMs`. */
  put(key: string, value: string, ttlMs: number): Promise<void>;
  /** Writes only if the key has no value, in one atomic step. Answers false, and writes nothing, if it has one. */
  add(key: string, value: string, ttlMs: number): Promise<boolean>;
  get(key: string): Promise<string | undefined>;
  /** Reads and deletes the value in one atomic step. Of any number of concurrent callers, one gets the value. */
  take(key: string): Promise<string | undefined>;
  delete(key: string): Promise<void>;
  /**
   * Writes only if the value is `expected`, in one atomic step. Answers false, and writes nothing, if the value was
   * overwritten, taken or deleted meanwhile, or has expired.
   */
  replace(key: string, expected: string, value: string, ttlMs: number): Promise<boolean>;
  /** Deletes only if the value is `expected`, in one atomic step. */
  remove(key: string, expected: string): Promise<boolean>;
}

/**
 * Counting leases with a fair queue that expire by themselves. A lock is a lease with `limit` 1, the slots of a node are
 * a lease with `limit` 3, and a quota is a lease without waiting. Holders are served in the order in which they first
 * asked. A holder that stops renewing, for example because its pod died, loses its position after `ttlMs`, and is last
 * in the queue when it comes back. A holder that moves up learns that from its next `join`.
 *
 * The caller passes the limit with each call. If the limit is lowered, the newest holders have to wait again.
 */
export interface LeaseStore {
  /**
   * Acquires the lease, joins its queue, or renews the holder's position. Answers 0 if the holder has the lease, and its
   * position in the queue otherwise; 1 is next. Call it again to move up and before `ttlMs` is over.
   */
  join(name: string, holder: string, limit: number, ttlMs: number): Promise<number>;
  /**
   * Acquires or renews the lease without waiting. Answers false, and does not join the queue, if `limit` others came
   * before, including those in the queue. An existing position in the queue is neither renewed nor lost.
   */
  tryAcquire(name: string, holder: string, limit: number, ttlMs: number): Promise<boolean>;
  /** Releases the lease or leaves the queue. Harmless without either. */
  release(name: string, holder: string): Promise<void>;
  /** Number of holders, including those in the queue. */
  count(name: string): Promise<number>;
  /** The digests (keys.ts) of all holders that `count` counts, in the order in which they first asked. */
  list(name: string): Promise<readonly string[]>;
}

/** Broadcasts short messages to all pods, at most once. Messages during an outage are lost. */
export interface SignalBus {
  publish(message: string): Promise<void>;
  /** Calls `listener` for each message, including those of this process. Returns an idempotent unsubscribe function. */
  subscribe(listener: (message: string) => void): () => void;
}

export interface RateLimits {
  /**
   * Consumes one of the `points` that `key` has per `seconds`. Rejects with PortholeError `rate_limited`, with
   * `retryAfter`, if none is left. While Redis is unavailable, each process counts by itself. `key` may contain user
   * names and addresses, because Redis only gets its digest.
   */
  spend(key: string, points: number, seconds: number): Promise<void>;
  /** Rejects like `spend`, but consumes nothing. */
  check(key: string, points: number, seconds: number): Promise<void>;
  /** Returns one point that was spent on the same key and budget. */
  refund(key: string, points: number, seconds: number): Promise<void>;
}
