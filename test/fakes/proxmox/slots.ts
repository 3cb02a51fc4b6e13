/** A fixed number of workers with a queue. Each worker processes one call at a time. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Maximum number of calls that were processed or queued at the same time. */
  readonly highWaterMark: number;
}

export function createSlots(size: number): Slots {
  const line: (() => void)[] = [];
  let busy = 0;
  let inFlight = 0;
  let highWaterMark = 0;
  return {
    get highWaterMark() {
      return highWaterMark;
    },
    async run(work) {
      highWaterMark = Math.max(highWaterMark, ++inFlight);
      if (busy < size) busy++;
      else await new Promise<void>((resolve) => line.push(resolve));
      try {
        return await work();
      } finally {
        inFlight--;
        const next = line.shift();
        if (next) next();
        else busy--;
      }
    },
  };
}
