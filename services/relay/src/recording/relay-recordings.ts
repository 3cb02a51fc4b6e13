import type { RecordingsConfig } from '@porthole/shared/config/recordings-schema';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { Recordings } from './open-recordings.ts';
import type { RecordingMetrics, RecordingReadings } from './recording-metrics.ts';
import { createRecordingThread } from './recording-thread.ts';

/** The recordings of a relay, with what its metrics show of them. */
export interface RelayRecordings extends Recordings {
  readings(): RecordingReadings;
}

const mebibyte = 1024 * 1024;

/** Undefined if the configuration has no recordings. */
export function openRecordings(
  config: RecordingsConfig | undefined,
  deps: { readonly clock: Clock; readonly log: Log },
  metrics: () => Pick<RecordingMetrics, 'recordingPiecesLost' | 'recordingThreadLost' | 'recordingWaited'>,
): RelayRecordings | undefined {
  if (!config) return undefined;
  const recordings = createRecordingThread(config, {
    clock: deps.clock,
    log: deps.log,
    monotonicMs: () => performance.now(),
    onPiecesLost: (count) => metrics().recordingPiecesLost(count),
    onThreadLost: () => metrics().recordingThreadLost(),
    onWaited: (seconds) => metrics().recordingWaited(seconds),
  });
  const { memoryMiB, diskMiB, directory } = config.spool;
  return Object.assign(recordings, {
    readings: () => ({
      state: recordings.state(),
      ...recordings.usage(),
      memoryLimitBytes: memoryMiB * mebibyte,
      diskLimitBytes: directory === undefined ? 0 : diskMiB * mebibyte,
    }),
  });
}
