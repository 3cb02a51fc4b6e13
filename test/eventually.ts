import { setTimeout as pause } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Default: 45 s, which is less than Jest's own limit, so that the failure says what did not happen. */
  readonly withinMs?: number;
  /** Returns a reason to stop waiting. */
  readonly unless?: () => string | undefined;
}

/** `false` and errors mean: not yet. */
type Attempt<T> = () => T | Promise<T>;

/**
 * Polls until `attempt` neither throws nor resolves to `false`, and resolves to its result. For real programs, which have no
 * clock that a test could advance. Without a description, `attempt` must contain an assertion, whose error is the failure.
 */
export function eventually<T>(
  description: string,
  attempt: Attempt<T>,
  options?: EventuallyOptions,
): Promise<Exclude<T, false>>;
export function eventually<T>(attempt: Attempt<T>): Promise<Exclude<T, false>>;
export async function eventually<T>(
  first: string | Attempt<T>,
  second?: Attempt<T>,
  { withinMs = 45_000, unless }: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const description = typeof first === 'string' ? first : undefined;
  const attempt = typeof first === 'string' ? second : first;
  if (!attempt) throw new TypeError('There is nothing to attempt.');
  const end = Date.now() + withinMs;
  for (;;) {
    const attemptedAt = performance.now();
    let cause: unknown;
    try {
      const result = await attempt();
      if (result !== false) return result as Exclude<T, false>;
    } catch (error) {
      cause = error;
    }
    const reason = unless?.();
    if (reason !== undefined) throw new Error(`${description}: ${reason}`, { cause });
    if (Date.now() > end) {
      if (description === undefined && cause !== undefined) throw cause;
      throw new Error(`Not within ${withinMs} ms: ${description}`, { cause });
    }
    // An attempt that reads a whole screen takes the time of what it waits for.
    await pause(Math.min(Math.max(5, 4 * (performance.now() - attemptedAt)), 100));
  }
}
