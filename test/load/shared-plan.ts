/** The machine whose screen is shared, and how much of it changes. */
export const desktop = { vmid: 100, width: 1280, height: 800 } as const;

/** A quarter of the screen each. */
export const updatesPerSecond = 5;

export interface SharedPlan {
  /** Viewers of the shared screen, in the order of the measurement. */
  readonly viewers: readonly number[];
  /** Pass-through sessions of other machines beside it, each with one echo per second. */
  readonly besides: number;
  /** A multiple of five: worker threads report what they have done every five seconds. */
  readonly seconds: number;
  readonly settleMs: number;
}

export const sharedPlan = (quick: boolean): SharedPlan =>
  quick
    ? { viewers: [1, 3], besides: 10, seconds: 1, settleMs: 200 }
    : { viewers: [1, 10, 30], besides: 200, seconds: 10, settleMs: 2000 };
