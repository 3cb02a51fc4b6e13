import type { PartRecorder } from './part-recorder.ts';

/** Where the stream of one connection is recorded, and what of it. */
export interface Capture {
  readonly recorder: Pick<PartRecorder, 'screen' | 'terminalOutput' | 'record' | 'mustWait'>;
  /** Whether values of keys are recorded. */
  readonly keys: boolean;
  /** Whether the text of the clipboard is recorded. */
  readonly clipboard: boolean;
}
