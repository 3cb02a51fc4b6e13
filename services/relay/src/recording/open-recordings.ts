import { grantKeysOf } from '@porthole/shared/config/read';
import type { RecordingsConfig } from '@porthole/shared/config/recordings-schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { openRecordingStorage } from '@porthole/shared/recording/storage/open-storage';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import { createJournalFiles } from './journal-files.ts';
import { recordPart, type PartRecorder, type RecordPartOptions } from './part-recorder.ts';
import { stopTimeoutOf } from './stop-timeout.ts';
import { createSpool, type Spool, type SpoolState } from './spool.ts';

/** Recording at this relay, in the thread that records. */
export interface ThreadRecordings extends Recordings {
  /** See Spool. */
  isBusy(): boolean;
}

/** Recording at this relay. */
export interface Recordings extends LifecycleComponent {
  /** Begins a part; see part-recorder.ts. Rejects with StorageError if it cannot be recorded. */
  record(options: RecordPartOptions): Promise<PartRecorder>;
  state(): SpoolState;
  usage(): ReturnType<Spool['usage']>;
}

export interface RecordingsDeps {
  readonly clock: Clock;
  /** Milliseconds of a clock that is not set, such as performance.now. */
  readonly monotonicMs: () => number;
  readonly random: RandomBytes;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly onState?: (state: SpoolState) => void;
  readonly onPiecesLost?: (count: number) => void;
}

const mebibyte = 1024 * 1024;

/**
 * Recording as configured. Loads the storage's library at start and not before; import this module only if `recordings`
 * is configured. Stop it after the consoles have ended.
 */
export function createRecordings(config: RecordingsConfig, deps: RecordingsDeps): ThreadRecordings {
  const { clock, log } = deps;
  const { directory, memoryMiB, diskMiB, flushSeconds, chunkSeconds, drainSeconds } = config.spool;
  const keys = grantKeysOf(config.encryptionKeys);
  let opened: { readonly storage: RecordingStorage; readonly spool: Spool } | undefined;

  return {
    name: 'recordings',
    stopTimeoutMs: stopTimeoutOf(config),
    async start() {
      const storage = await openRecordingStorage(config, { clock });
      const spool = createSpool({
        ...deps,
        storage,
        files: directory === undefined ? undefined : createJournalFiles(directory),
        limits: { memoryBytes: memoryMiB * mebibyte, diskBytes: diskMiB * mebibyte },
      });
      opened = { storage, spool };
      await spool.start();
    },
    async stop() {
      if (!opened) return;
      const left = await opened.spool.drain(drainSeconds * 1000);
      if (left > 0) log.warn({ objects: left }, 'some recordings are not stored');
      await opened.storage.close();
    },
    async record(options) {
      if (!opened) throw new Error('Recordings have not started.');
      const { storage, spool } = opened;
      const times = { flushMs: flushSeconds * 1000, maxChunkMs: chunkSeconds * 1000 };
      return recordPart({ ...deps, ...times, storage, spool, keys }, options);
    },
    isBusy: () => opened?.spool.isBusy() ?? false,
    state: () => opened?.spool.state() ?? 'ok',
    usage: () => opened?.spool.usage() ?? { memoryBytes: 0, diskBytes: 0, objects: 0 },
  };
}
