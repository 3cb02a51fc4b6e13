import { PortholeError } from '@porthole/shared/errors';

/** Runs a few pieces of work at a time, lets some wait in line, and refuses the rest with `rate_limited`. */
export interface BoundedWork {
  run<T>(work: () => Promise<T>): Promise<T>;
  waiting(): number;
}

export function createBoundedWork(limits: { readonly atOnce: number; readonly inLine: number }): BoundedWork {
  const line: (() => void)[] = [];
  let running = 0;

  return {
    async run(work) {
      if (running >= limits.atOnce) {
        if (line.length >= limits.inLine)
          throw new PortholeError('rate_limited', { detail: 'too many sign-ins are waiting', retryAfter: 5 });
        // Whoever leaves hands its place on, so `running` stays as it is.
        await new Promise<void>((resolve) => line.push(resolve));
      } else running++;
      try {
        return await work();
      } finally {
        const next = line.shift();
        if (next) next();
        else running--;
      }
    },
    waiting: () => line.length,
  };
}
