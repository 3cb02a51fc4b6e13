import { setTimeout as pause } from 'node:timers/promises';

export interface EventuallyOptions {
  /** The default is shorter than Jest's own limit, so that a failure names what did not happen. */
  readonly withinMs?: number;
  /** A reason not to wait any longer. */
  readonly unless?: () => string | undefined;
}

/**
 * Polls until `attempt` neither throws nor resolves to `false`, and resolves to its result. Use it for real processes, which have
 * no clock to advance. Rejects with `what` and the last error.
 */
export async function eventually<T>(
  what: string,
  attempt: () => T | Promise<T>,
  { withinMs = 45_000, unless = () => undefined }: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const end = Date.now() + withinMs;
  for (;;) {
    let cause: unknown;
    try {
      const result = await attempt();
      if (result !== false) return result as Exclude<T, false>;
    } catch (error) {
      cause = error;
    }
    const reason = unless();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`, { cause });
    if (Date.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`, { cause });
    await pause(10);
  }
}
