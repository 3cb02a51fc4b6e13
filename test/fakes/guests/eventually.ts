import { setTimeout as delay } from 'node:timers/promises';

/**
 * Tries again until `attempt` neither throws nor returns `undefined`. For real processes, which have no
 * clock to turn: the deadline is only there to fail in the end, nothing waits for longer than it must.
 */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | undefined> | T | undefined,
  { within = 25_000, unless = () => undefined }: { within?: number; unless?: () => string | undefined } = {},
): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    let cause: unknown;
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      cause = error;
    }
    const reason = unless();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`, { cause });
    if (Date.now() > deadline) throw new Error(`${what}: not within ${within} ms`, { cause });
    await delay(20);
  }
}
