import { chunkName, indexName, type PartAddress } from '@porthole/shared/recording/names';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import type { ChunkSink } from '@porthole/shared/recording/write/chunk-sink';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import { createBlockPool } from './block-pool.ts';
import type { SpoolFiles } from './spool-files.ts';
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
  /** Stores the chunk in progress as it is. */
  flush(): void;
  putIndex(bytes: Buffer): void;
  /** Nothing more will come. Idempotent. */
  close(): void;
}

export interface SpoolDeps {
  readonly storage: Pick<RecordingStorage, 'put' | 'list'>;
  /** Undefined if the spool is in memory. */
  readonly files?: SpoolFiles | undefined;
  readonly limits: SpoolLimits;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Called with each change of the state. */
  readonly onState?: (state: SpoolState) => void;
  /** Data of a part was dropped that nothing will have. */
  readonly onPiecesLost?: (count: number) => void;
}

/** Above this share of the memory, new data goes to the disk at once. */
const spillShare = 1 / 2;
/** See `isBusy`. Less than the rest of the memory, because the thread takes all that waits when a part ends. */
const busyShares = { unwritten: 1 / 4, memory: 1 / 2 } as const;
/** What a part may still write after `onFull`, for its end. */
const graceBytes = 256 * 1024;

export function createSpool(deps: SpoolDeps): Spool {
  const { files, log } = deps;
  const usage = createSpoolUsage(deps.limits);
  const objects = new Map<string, SpooledObject>();
  let state: SpoolState = 'ok';
  let diskFails = false;

  const uploader = createUploader(
    { ...deps, onChange: reportState },
    {
      stored(object) {
        if (objects.get(object.name) === object) objects.delete(object.name);
        reportState();
      },
    },
  );
  const objectDeps = {
    files,
    usage,
    blocks: createBlockPool(deps.limits.memoryBytes / 2),
    clock: deps.clock,
    mustSpill: () => uploader.state() === 'failing' || usage.shareOf('memory') > spillShare,
    onWritten(error?: unknown) {
      if (error !== undefined && !diskFails)
        log.warn({ err: error }, 'cannot write to the spool of recordings');
      diskFails = error !== undefined;
      reportState();
    },
  };

  const isFull = () => usage.isFull() || diskFails;

  function reportState(): void {
    if (objects.size === 0) diskFails = false;
    const next = isFull() ? 'full' : uploader.state();
    if (next === state) return;
    state = next;
    if (state !== 'ok') void spillAll();
    deps.onState?.(state);
  }

  async function spillAll(): Promise<void> {
    await Promise.all([...objects.values()].map((object) => object.spill()));
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
    const left = (await files?.open()) ?? [];
    for (const { name, size } of left) {
      const object = createSpooledObject(objectDeps, name, size);
      objects.set(name, object);
      uploader.add(object);
    }
    if (left.length > 0)
      log.info({ objects: left.length }, 'storing recordings that an earlier process left');
    reportState();
  }

  function openPart(address: PartAddress, onFull: () => void): SpooledPart {
    let current: SpooledObject | undefined;
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

    return {
      append(chunk, pieces, finished) {
        if (closed) return;
        if (grace <= 0) {
          deps.onPiecesLost?.(1);
          return;
        }
        current ??= createObject(chunkName(address, chunk));
        const added = current.append(pieces);
        if (finished) {
          current.finish();
          store(current);
          current = undefined;
        }
        checkFull(added);
      },
      flush() {
        if (!closed && current?.hasNews()) store(current);
      },
      putIndex(bytes) {
        if (closed) return;
        index ??= createObject(indexName(address));
        index.replace(bytes);
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
    isBusy: () =>
      state === 'ok' &&
      (files
        ? usage.shareOf('unwritten') > busyShares.unwritten
        : usage.shareOf('memory') > busyShares.memory && uploader.isUploading()),
    usage: () => ({ ...usage.read(), objects: objects.size }),
    async drain(deadlineMs) {
      await uploader.drain(deadlineMs);
      await spillAll();
      // Those in the directory are stored when the next process starts.
      if (!files) deps.onPiecesLost?.(objects.size);
      return objects.size;
    },
  };
}
