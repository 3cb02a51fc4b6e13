import { chunkName, indexName, type PartAddress } from '@porthole/shared/recording/names';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import type { ChunkSink } from '@porthole/shared/recording/write/chunk-sink';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import { createBlockPool } from './block-pool.ts';
import type { JournalFiles } from './journal-files.ts';
import { createSpoolJournal } from './spool-journal.ts';
import { createSpoolUsage, type SpoolLimits } from './spool-usage.ts';
import { createSpooledObject, type SpooledObject } from './spooled-object.ts';
import { createUploader, type UploadState } from './uploader.ts';

/** `full`: what is recorded from now on may be lost. `failing`: the storage does not take what it is sent. */
export type SpoolState = UploadState | 'full';

/** Keeps recordings until the storage has them. */
export interface Spool {
  /** Begins to store what an earlier process left in the directory. */
  start(): Promise<void>;
  state(): SpoolState;
  /** Much of the memory is on its way to disk or storage, which take it. Better wait before more comes. */
  isBusy(): boolean;
  /** A flush should end a chunk of this size. */
  readonly endAtFlushBytes: number;
  usage(): { readonly memoryBytes: number; readonly diskBytes: number; readonly objects: number };
  /**
   * Takes a new part. `onFull` is called at most once, later and never within a call of the part: end the part then. A
   * part that goes on for long is cut off.
   */
  openPart(address: PartAddress, onFull: () => void): SpooledPart;
  /**
   * Stores what is there, within the deadline. Answers the number of objects that are left; those in the directory are
   * stored when the next process starts. Idempotent.
   */
  drain(deadlineMs: number): Promise<number>;
}

export interface SpooledPart extends ChunkSink {
  /**
   * Protects the chunk in progress, as it is, from the end of the process: writes it to the journal, and without one to the
   * storage.
   */
  flush(): void;
  putIndex(bytes: Buffer): void;
  /** Nothing more will come. Idempotent. */
  close(): void;
}

export interface SpoolDeps {
  readonly storage: Pick<RecordingStorage, 'put' | 'list' | 'get'>;
  /** Undefined if the spool is in memory. */
  readonly files?: JournalFiles | undefined;
  readonly limits: SpoolLimits;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Called with each change of the state. */
  readonly onState?: (state: SpoolState) => void;
  /** Data of a part was dropped that nothing will have. */
  readonly onPiecesLost?: (count: number) => void;
}

/** Above this share of the memory, new data goes to the journal at once. */
const spillShare = 1 / 2;
/** Above this share of the disk, flushes use the storage, so that the rest is there for an outage. */
const flushShare = 1 / 4;
/**
 * An object in the journal is read again when it goes to the storage, and a large one is stored at least as fast. Without a
 * journal, a chunk in progress goes to the storage again with each flush.
 */
export const endAtFlushBytes = { journal: 512 * 1024, storage: 128 * 1024 } as const;
/** See `isBusy`: of the memory on its way to the journal, and in use if there is no journal that works. Less than the rest of the memory, because the thread takes all that waits when a part ends. */
const busyShares = { unwritten: 1 / 4, memory: 1 / 2 } as const;
/** What a part may still write after `onFull`, for its end. */
const graceBytes = 256 * 1024;

export function createSpool(deps: SpoolDeps): Spool {
  const { files, clock, log } = deps;
  const usage = createSpoolUsage(deps.limits);
  const journal =
    files &&
    createSpoolJournal({
      files,
      usage,
      clock,
      onWritten,
      onSlow() {
        log.warn('the disk of the spool of recordings is slow');
        storeChunks();
      },
      onFreed: reportState,
      onRetry() {
        if (mustSpill()) spillAll();
      },
      onUnreadable: (error) => log.warn({ err: error }, 'cannot read the spool of recordings'),
    });
  const objects = new Map<string, SpooledObject>();
  let state: SpoolState = 'ok';
  let diskFails = false;

  const uploader = createUploader(
    { ...deps, onChange: reportState },
    {
      stored(object) {
        forget(object);
      },
      unreadable(object, error) {
        log.warn({ err: error }, 'cannot read the spool of recordings');
        deps.onPiecesLost?.(1);
        forget(object);
      },
    },
  );
  const objectDeps = {
    journal,
    usage,
    blocks: createBlockPool(deps.limits.memoryBytes / 2),
    clock,
  };

  /** Whether new data goes to the journal at once. */
  const mustSpill = () => uploader.state() === 'failing' || usage.shareOf('memory') > spillShare;

  /** What only the memory has of chunks in progress. */
  function storeChunks(): void {
    for (const object of objects.values()) if (!object.isFinished() && object.hasNews()) store(object);
  }

  function onWritten(error?: unknown): void {
    if (error !== undefined) {
      if (!diskFails) log.warn({ err: error }, 'cannot write to the spool of recordings');
      storeChunks();
    }
    diskFails = error !== undefined;
    for (const name of journal?.pinned() ?? []) objects.get(name)?.move();
    reportState();
  }

  function forget(object: SpooledObject): void {
    if (objects.get(object.name) === object) objects.delete(object.name);
    reportState();
  }

  /** While the storage works, it has what a failing disk does not take. */
  const isFull = () => usage.isFull() || (diskFails && uploader.state() === 'failing');

  function reportState(): void {
    if (objects.size === 0) diskFails = false;
    const next = isFull() ? 'full' : uploader.state();
    if (next === state) return;
    state = next;
    if (state !== 'ok') spillAll();
    deps.onState?.(state);
  }

  function spillAll(): void {
    for (const object of objects.values()) object.spill();
  }

  function store(object: SpooledObject): void {
    uploader.add(object);
    object.expectStored();
  }

  function createObject(name: string): SpooledObject {
    const object = createSpooledObject(objectDeps, name);
    objects.set(name, object);
    return object;
  }

  async function start(): Promise<void> {
    const left = (await journal?.open()) ?? new Map<string, never>();
    for (const [name, places] of left) {
      const object = createSpooledObject(objectDeps, name, places);
      objects.set(name, object);
      uploader.add(object);
    }
    if (left.size > 0) log.info({ objects: left.size }, 'storing recordings that an earlier process left');
    reportState();
  }

  function openPart(address: PartAddress, onFull: () => void): SpooledPart {
    let current: SpooledObject | undefined;
    /** Those whose chunks the storage does not have, in order. */
    const chunks = new Set<SpooledObject>();
    let index: SpooledObject | undefined;
    let told = false;
    let grace = graceBytes;
    let closed = false;

    function checkFull(length: number): void {
      reportState();
      if (told) grace -= length;
      if (told || !isFull()) return;
      told = true;
      queueMicrotask(() => {
        if (!closed) onFull();
      });
    }

    /** In order: a chunk must not survive a killed process without the one before. */
    function spillChunks(): void {
      for (const object of chunks) object.spill();
    }

    return {
      append(chunk, pieces, finished) {
        if (closed) return;
        if (grace <= 0) {
          deps.onPiecesLost?.(1);
          return;
        }
        if (!current) chunks.add((current = createObject(chunkName(address, chunk))));
        const added = current.append(pieces);
        if (mustSpill()) spillChunks();
        if (finished) {
          current.finish();
          store(current);
          current = undefined;
        }
        checkFull(added);
      },
      flush() {
        if (closed) return;
        for (const object of chunks) if (object.isDiscarded()) chunks.delete(object);
        if (!journal?.works() || usage.shareOfDisk() > flushShare) {
          if (current?.hasNews()) store(current);
          return;
        }
        if (current?.hasNews()) spillChunks();
      },
      putIndex(bytes) {
        if (closed) return;
        index ??= createObject(indexName(address));
        index.replace(bytes);
        if (mustSpill()) index.spill();
        store(index);
        checkFull(bytes.length);
      },
      close() {
        if (closed) return;
        closed = true;
        for (const object of [current, index]) {
          object?.finish();
          if (object) store(object);
        }
        current = index = undefined;
      },
    };
  }

  return {
    start,
    openPart,
    state: () => state,
    endAtFlushBytes: endAtFlushBytes[journal ? 'journal' : 'storage'],
    isBusy: () =>
      state === 'ok' &&
      (journal?.works()
        ? usage.shareOf('unwritten') > busyShares.unwritten
        : usage.shareOf('memory') > busyShares.memory && uploader.isUploading()),
    usage: () => ({ ...usage.read(), objects: objects.size }),
    async drain(deadlineMs) {
      await uploader.drain(deadlineMs);
      spillAll();
      await journal?.close();
      // Those in the directory are stored when the next process starts.
      if (!journal) deps.onPiecesLost?.(objects.size);
      return objects.size;
    },
  };
}
