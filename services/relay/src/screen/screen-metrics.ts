/** What shared screens report for the metrics. */
export interface ScreenMetrics {
  /** Seconds that a worker thread has worked, for bytes of machines or for their viewers. */
  pictureWork(work: 'decode' | 'encode', seconds: number): void;
  /** A worker thread died or hung, and was ended. */
  workerLost(): void;
  /** Round-trip time of a ping to a machine. */
  ping(side: 'machine', seconds: number): void;
}

/** Values that are read when Prometheus scrapes. */
export interface ScreenReadings {
  readonly screens: number;
  /** Of all screens. */
  readonly viewers: number;
  /** Consumers of thumbnails of all screens. */
  readonly thumbnails: number;
  /** Of all pictures. */
  readonly pixels: number;
  /** Bytes of encoded tiles that worker threads keep. At most five seconds old. */
  readonly cacheBytes: number;
}
