import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJournalFiles, type JournalFiles } from '@porthole/relay/recording/journal-files';
import { createSpool, type Spool, type SpoolState } from '@porthole/relay/recording/spool';
import { recordPart, type RecordPartOptions } from '@porthole/relay/recording/part-recorder';
import { readRecording, type RecordingItem } from '@porthole/shared/recording/read/read-recording';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import { eventually } from '../../eventually.ts';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { contentOf, facts, recordingKeys } from '../../shared/recording/sample-recording.ts';
import { recordedLog } from '../../shared/store/store-harness.ts';

export const mebibyte = 1024 * 1024;

export interface SpoolHarness {
  readonly clock: FakeClock;
  /** A directory whose writes can fail or wait. */
  readonly storage: RecordingStorage;
  readonly spoolDirectory: string;
  readonly states: SpoolState[];
  readonly log: ReturnType<typeof recordedLog>;
  /** Names that were put, in order. */
  readonly puts: string[];
  /** Those of them that the storage has. */
  readonly stored: string[];
  timesStored(name: string): number;
  /** Those of them whose object is replaced again. */
  readonly interimPuts: string[];
  fail(error: StorageError | undefined): void;
  /** Holds all writes until the returned function is called. */
  hold(): () => void;
  openSpool(options?: {
    files?: JournalFiles | undefined;
    memoryBytes?: number;
    diskBytes?: number;
  }): Promise<Spool>;
  /** What the storage has of a recording. */
  read(recording: string): Promise<RecordingItem[]>;
  record(spool: Spool, options?: Partial<RecordPartOptions>): ReturnType<typeof recordPart>;
}

export const away = () => new StorageError('unavailable', 'test');

export const textOf = (items: readonly RecordingItem[]) =>
  contentOf(items)
    .map((record) => (record.type === 'screen' ? Buffer.from(record.bytes).toString() : ''))
    .join('');

export const isEmpty = (spool: Spool) => eventually('all is stored', () => spool.usage().objects === 0);

/** Directories that are removed after each test. */
export function spoolHarness(): () => SpoolHarness {
  let harness: SpoolHarness;
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'porthole-spool-'));
    await mkdir(join(root, 'storage'));
    harness = create(root);
  });
  afterEach(() => rm(root, { recursive: true }));
  return () => harness;
}

function create(root: string): SpoolHarness {
  const directory = createDirectoryStorage(join(root, 'storage'));
  const clock = createFakeClock();
  const spoolDirectory = join(root, 'spool');
  const states: SpoolState[] = [];
  const puts: string[] = [];
  const stored: string[] = [];
  const interimPuts: string[] = [];
  const log = recordedLog();
  let error: StorageError | undefined;
  let held: Promise<void> | undefined;

  const storage: RecordingStorage = {
    ...directory,
    async put(name, bytes, options) {
      puts.push(name);
      if (options?.interim) interimPuts.push(name);
      await held;
      options?.signal?.throwIfAborted();
      if (error) throw error;
      await directory.put(name, bytes, options);
      stored.push(name);
    },
  };

  return {
    clock,
    storage,
    spoolDirectory,
    states,
    log,
    puts,
    stored,
    timesStored: (name) => stored.filter((one) => one === name).length,
    interimPuts,
    fail(next) {
      error = next;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    async openSpool({ memoryBytes = 64 * mebibyte, diskBytes = 64 * mebibyte, ...options } = {}) {
      const files = 'files' in options ? options.files : createJournalFiles(spoolDirectory);
      const spool = createSpool({
        storage,
        files,
        limits: { memoryBytes, diskBytes },
        clock,
        log: log.log,
        onState: (state) => states.push(state),
      });
      await spool.start();
      return spool;
    },
    async read(recording) {
      const items: RecordingItem[] = [];
      for await (const item of readRecording({ storage, keys: recordingKeys }, recording)) items.push(item);
      return items;
    },
    record: (spool, options = {}) =>
      recordPart(
        {
          spool,
          storage,
          keys: recordingKeys,
          random: randomBytes,
          clock,
          monotonicMs: () => clock.now(),
          flushMs: 5000,
        },
        { ordinal: 1, facts, onFull: () => {}, ...options },
      ),
  };
}
