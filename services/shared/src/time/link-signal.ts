/** A signal of one's own, aborted with the one that it follows until it is let go. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  abort(reason?: Error): void;
  /** It follows no longer, and holds nothing of what it followed. */
  unlink(): void;
}

/**
 * What AbortSignal.any does, but for less: what that makes is kept by Node as long as somebody listens to it and
 * what it follows lives, which for a console is as long as the console.
 */
export function linkSignal(parent: AbortSignal | undefined): LinkedSignal {
  const own = new AbortController();
  const onAbort = () => own.abort(parent?.reason);
  if (parent?.aborted) onAbort();
  else parent?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: own.signal,
    abort: (reason) => own.abort(reason),
    unlink: () => parent?.removeEventListener('abort', onAbort),
  };
}
