import { onAbort } from './on-abort.ts';

/** A signal that can be aborted by itself, and is aborted together with its parent until it is unlinked. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  abort(reason?: Error): void;
  /** Stops following the parent, and releases all references to it. Idempotent. */
  unlink(): void;
}

/**
 * Creates a signal that follows `parent`. `AbortSignal.any` does the same, but Node keeps its result as long as it has
 * listeners and the parent lives, which is as long as the console.
 */
export function linkSignal(parent: AbortSignal | undefined): LinkedSignal {
  const own = new AbortController();
  const unlink = onAbort(parent, (reason) => own.abort(reason));
  return { signal: own.signal, abort: (reason) => own.abort(reason), unlink };
}
