import type { Clock } from './clock.ts';
import { linkSignal } from './link-signal.ts';
import { onAbort } from './on-abort.ts';
import { PortholeError, type ErrorCode } from '../errors.ts';

/**
 * Runs `work` for at most `ms` milliseconds. Rejects with `lateCode` after that, or with the signal's reason as soon as
 * it is aborted. `work` gets a signal of its own, aborted in both cases, so that it can release what it holds.
 */
export async function withDeadline<T>(
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
  ms: number,
  lateCode: ErrorCode,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = linkSignal(deps.signal);
  const cancelTimer = deps.clock.after(ms, () =>
    own.abort(new PortholeError(lateCode, { detail: `nothing within ${ms} ms` })),
  );
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stopListening = onAbort(own.signal, () => reject(own.signal.reason as Error));
  try {
    return await Promise.race([work(own.signal), aborted]);
  } finally {
    cancelTimer();
    stopListening();
    own.unlink();
  }
}
