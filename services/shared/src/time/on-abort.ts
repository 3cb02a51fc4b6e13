/**
 * Calls `listener` when the signal is aborted, or at once if it already is. Returns a function that removes the
 * listener; calling it twice is harmless. Use this instead of `addEventListener('abort', …)`, which never fires on a
 * signal that is aborted already.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => {};
  }
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
