import type { Clock } from '../time/clock.ts';
import type { Log } from '../telemetry/log.ts';

/** Something with a beginning and an end: a store, a server, a cache. */
export interface LifecycleComponent {
  readonly name: string;
  start?(): Promise<void>;
  stop?(): Promise<void>;
  /** Milliseconds that `stop` may take before the next part's turn comes anyway. Default 5000. */
  readonly stopTimeoutMs?: number;
}

export interface Lifecycle {
  /**
   * Starts the parts in order. When one fails, stops it and those that had started, and rejects; so it does when
   * `stop` was called meanwhile.
   */
  start(): Promise<void>;
  /** Stops the parts in reverse order, each within its deadline. Idempotent; never rejects. */
  stop(): Promise<void>;
}

export function createLifecycle(deps: {
  clock: Clock;
  log: Log;
  components: readonly LifecycleComponent[];
}): Lifecycle {
  const started: LifecycleComponent[] = [];
  let stopping: Promise<void> | undefined;

  async function start(): Promise<void> {
    for (const part of deps.components) {
      assertNotStopping();
      started.push(part);
      try {
        await part.start?.();
      } catch (error) {
        await stop();
        throw error;
      }
    }
    assertNotStopping();
  }

  function assertNotStopping(): void {
    if (stopping) throw new Error('Stopped while starting.');
  }

  function stop(): Promise<void> {
    stopping ??= stopAll();
    return stopping;
  }

  async function stopAll(): Promise<void> {
    for (const part of started.toReversed()) {
      try {
        await withDeadline(deps.clock, part.stopTimeoutMs ?? 5000, part.stop?.() ?? Promise.resolve());
      } catch (error) {
        deps.log.error({ err: error, part: part.name }, 'could not stop in good order');
      }
    }
  }

  return { start, stop };
}

function withDeadline(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new Error(`Not stopped after ${ms} ms.`)));
    void work.then(resolve, reject).finally(cancel);
  });
}
