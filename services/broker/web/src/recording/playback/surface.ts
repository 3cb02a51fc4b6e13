import type { RecordingRecord } from '@porthole/shared/recording/record/record';

/** Shows a recording: a screen or a terminal. */
export interface Surface {
  /** Begins again, as at the start of a part or in front of a keyframe. */
  reset(): void;
  /** Shows a record. Records that it does not know change nothing. */
  apply(record: RecordingRecord): void;
  /** Something was lost in front of the next record. A screen waits for its next complete picture. */
  lost(): void;
  /** Resolves when everything that was applied is shown. */
  settled(): Promise<void>;
  /** The picture stays while the surface goes through records between two times. */
  freeze(): void;
  unfreeze(): void;
  /** Undefined if the surface cannot make one. */
  picture(): Promise<Blob | undefined>;
  close(): void;
}

export interface SurfaceEvents {
  /** The recording cannot be shown in this browser. */
  onFailed(reason: 'format' | 'stream'): void;
}
