import { onAbort } from '@porthole/shared/time/on-abort';

/** Waits for work that others wait for, too. Rejects with the signal's reason as soon as it is aborted. */
export async function waitFor<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stopListening = onAbort(signal, () => reject(signal.reason as Error));
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stopListening();
  }
}
