import type { Clock } from '../time/clock.ts';
import type { Log } from '../telemetry/log.ts';

/** A component with a start and a stop, such as a store or a server. */
export interface LifecycleComponent {
  readonly name: string;
  start?(): Promise<void>;
  stop?(): Promise<void>;
  /** Deadline of `stop` in milliseconds. After it, the next component is stopped. Default: 5000. */
  readonly stopTimeoutMs?: number;
}

export interface Lifecycle {
  /**
   * Starts the components in order. If one fails, or if `stop` is called meanwhile, stops those that have started,
   * including the failed one, and rejects.
   */
  start(): Promise<void>;
  /** Stops the components in reverse order, each within its deadline. Idempotent. Never rejects. */
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
    for (const component of deps.components) {
      assertNotStopping();
      started.push(component);
      try {
        await component.start?.();
      } catch (error) {
        await stop();
        throw error;
      }
    }
    assertNotStopping();
  }

  function assertNotStopping(): void {
    if (stopping) throw new Error('Stopped during the start.');
  }

  function stop(): Promise<void> {
    stopping ??= stopAll();
    return stopping;
  }

  async function stopAll(): Promise<void> {
    for (const component of started.toReversed()) {
      try {
        await withDeadline(
          deps.clock,
          component.stopTimeoutMs ?? 5000,
          component.stop?.() ?? Promise.resolve(),
        );
      } catch (error) {
        deps.log.error({ err: error, component: component.name }, 'component did not stop cleanly');
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
