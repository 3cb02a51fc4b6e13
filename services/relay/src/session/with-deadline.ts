import type { Clock } from '@porthole/shared/time/clock';
import { linkSignal } from '@porthole/shared/time/link-signal';
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
  const own = linkSignal(deps.signal);
  const cancel = deps.clock.after(ms, () =>
    own.abort(new PortholeError(late, { detail: `nothing within ${ms} ms` })),
  );
  let letGo = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const fail = () => reject(own.signal.reason as Error);
    if (own.signal.aborted) fail();
    else own.signal.addEventListener('abort', fail, { once: true });
    letGo = () => own.signal.removeEventListener('abort', fail);
  });
  try {
    return await Promise.race([phase(own.signal), aborted]);
  } finally {
    cancel();
    letGo();
    own.unlink();
  }
}
