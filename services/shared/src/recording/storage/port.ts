/**
 * Where recordings are kept. Both implementations, a directory and S3, pass the same contract tests
 * (test/shared/recording/storage/describe-storage.ts). Names consist of segments of letters, digits, dashes, dots and
 * underscores, separated by slashes. Every method rejects with StorageError, or with the signal's reason.
 */
export interface RecordingStorage {
  /** Writes or overwrites an object, in one atomic step: a reader sees the previous object or the new one. */
  put(name: string, bytes: ObjectBytes, options?: PutOptions): Promise<void>;
  /** Rejects with `not_found`. With `maxBytes`, answers only the beginning. */
  get(name: string, options?: GetOptions): Promise<Buffer>;
  /** The objects whose names begin with `prefix`, in the order of their names (by character code). */
  list(prefix: string, options?: ListOptions): AsyncIterable<StoredObject>;
  /**
   * The groups of objects whose names begin with `prefix`: their names up to the first slash behind it, each once and
   * in order. With the prefix of a day, these are the recordings of that day, at the cost of their number.
   */
  listGroups(prefix: string, options?: ListOptions): AsyncIterable<string>;
  /** Deletes an object. Harmless if there is none. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /** Closes connections. Idempotent. */
  close(): Promise<void>;
}

/** The bytes of an object, or pieces of it, one behind the other. */
export type ObjectBytes = Uint8Array | readonly Uint8Array[];

export interface PutOptions {
  readonly signal?: AbortSignal;
  /**
   * The object is there already, and another version will follow. If the storage loses its power before, the previous version
   * may be back, but never half of one.
   */
  readonly interim?: boolean;
}

export interface GetOptions {
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  readonly signal?: AbortSignal;
}

export interface StoredObject {
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
}
