import { PortholeError } from '@porthole/shared/errors';

/** Limits how many tasks run at the same time. Further tasks wait in a bounded queue. */
export interface ConcurrencyLimiter {
  /** Runs a task when its turn comes. Rejects with `rate_limited` if the queue is full. */
  run<T>(task: () => Promise<T>): Promise<T>;
  queued(): number;
}

export function createConcurrencyLimiter(limits: {
  readonly maxRunning: number;
  readonly maxQueued: number;
}): ConcurrencyLimiter {
  const queue: (() => void)[] = [];
  let running = 0;

  return {
    async run(task) {
      if (running >= limits.maxRunning) {
        if (queue.length >= limits.maxQueued)
          throw new PortholeError('rate_limited', { detail: 'the sign-in queue is full', retryAfter: 5 });
        // The task that ends hands its slot on, so `running` stays the same.
        await new Promise<void>((resolve) => queue.push(resolve));
      } else running++;
      try {
        return await task();
      } finally {
        const next = queue.shift();
        if (next) next();
        else running--;
      }
    },
    queued: () => queue.length,
  };
}
