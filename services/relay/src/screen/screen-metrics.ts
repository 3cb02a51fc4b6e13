/** What shared screens report for the metrics. */
export interface ScreenMetrics {
  /** One shared screen more or less. */
  screens(change: 1 | -1): void;
  /** One viewer of a shared screen more or less. */
  viewers(change: 1 | -1): void;
  /** Seconds that worker threads have worked, for bytes of machines or for their viewers. */
  pictureWork(work: 'decode' | 'encode', seconds: number): void;
  /** A worker thread died or hung, and was ended. */
  workerLost(): void;
  /** Round-trip time of a ping to a machine. */
  ping(side: 'machine', seconds: number): void;
}
