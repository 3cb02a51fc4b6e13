import { parentPort, workerData } from 'node:worker_threads';
import { systemRandom } from '@porthole/shared/crypto/random';
import { systemClock } from '@porthole/shared/time/clock';
import { serveRecorder, type RelayPort } from './serve-recorder.ts';
import type { RecorderThreadData } from './thread-messages.ts';

/** The module that the recording thread runs (recording-thread.ts). */
serveRecorder(parentPort as RelayPort, workerData as RecorderThreadData, {
  clock: systemClock,
  random: systemRandom,
});
