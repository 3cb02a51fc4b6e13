/**
 * Calls `listener` once with the signal's reason when the signal is aborted, or at once if it is aborted already.
 * Returns a function that removes the listener; calling it again is harmless. Without a signal, does nothing.
 *
 * Call the returned function as soon as the work is done: a signal that outlives it keeps the listener, and all that
 * the listener refers to.
 */
export function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): () => void {
  if (!signal) return () => {};
  if (signal.aborted) {
    listener(signal.reason);
    return () => {};
  }
  const handle = () => listener(signal.reason);
  signal.addEventListener('abort', handle, { once: true });
  return () => signal.removeEventListener('abort', handle);
}
