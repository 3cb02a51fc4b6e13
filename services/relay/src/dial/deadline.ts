import type { Clock } from '@porthole/shared/clock';
import { PortholeError, type ErrorCode } from '@porthole/shared/errors';

/**
 * Runs one phase of an opening: rejects with `late` after `ms`, or with the signal's reason as soon as the
 * session ends. The phase gets a signal of its own, aborted in either case, so that it can let go.
 */
export async function withDeadline<T>(
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
  ms: number,
  late: ErrorCode,
  phase: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = new AbortController();
  const cancel = deps.clock.after(ms, () =>
    timer.abort(new PortholeError(late, { detail: `nothing within ${ms} ms` })),
  );
  const signal = AbortSignal.any([deps.signal, timer.signal]);
  try {
    return await Promise.race([phase(signal), rejected(signal)]);
  } finally {
    cancel();
  }
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
