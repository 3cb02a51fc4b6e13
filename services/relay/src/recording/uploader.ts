import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { SpooledObject } from './spooled-object.ts';

export type UploadState = 'ok' | 'failing';

/** Sends objects to the storage, again and again while it fails. */
export interface Uploader {
  /** Stores the object as it is when its turn comes. */
  add(object: SpooledObject): void;
  state(): UploadState;
  isUploading(): boolean;
  /** Resolves when all is stored, or after the deadline. No upload is under way after that. */
  drain(deadlineMs: number): Promise<void>;
}

const concurrentUploads = 4;
const firstRetryMs = 1000;
const maxRetryMs = 30_000;
/** While draining, there is no time for longer pauses. */
const drainRetryMs = 1000;

export function createUploader(
  deps: {
    readonly storage: Pick<RecordingStorage, 'put' | 'list'>;
    readonly clock: Clock;
    readonly log: Pick<Log, 'info' | 'warn'>;
    /** Called when the state may have changed. */
    readonly onChange: () => void;
  },
  events: { /** All of the object is stored, and it is discarded. */ stored(object: SpooledObject): void },
): Uploader {
  const { storage, clock, log } = deps;
  const waiting = new Set<SpooledObject>();
  const uploading = new Set<SpooledObject>();
  const stopping = new AbortController();
  let state: UploadState = 'ok';
  let retryMs = firstRetryMs;
  let cancelRetry: Cancel | undefined;
  let draining = false;
  let drained = () => {};

  function pump(): void {
    // After a failure, one upload finds out whether the storage is back.
    const limit = state === 'ok' ? concurrentUploads : 1;
    for (const object of waiting) {
      if (stopping.signal.aborted || cancelRetry || uploading.size >= limit) break;
      // Its next version follows when this one is stored, so that versions cannot overtake each other.
      if (uploading.has(object)) continue;
      waiting.delete(object);
      uploading.add(object);
      void upload(object);
    }
    if (uploading.size === 0 && (waiting.size === 0 || stopping.signal.aborted)) drained();
  }

  async function upload(object: SpooledObject): Promise<void> {
    try {
      const { bytes, version } = await object.read();
      const size = bytes.reduce((sum, { length }) => sum + length, 0);
      const isNew = object.hasNews() && !(object.recovered && (await isStored(object.name, size)));
      const interim = object.isInterim(version);
      if (isNew) await storage.put(object.name, bytes, { signal: stopping.signal, interim });
      const isComplete = object.isComplete(version);
      if (interim && isComplete) {
        // It has ended meanwhile, so this was its last version after all.
        waiting.add(object);
      } else {
        object.isStored(version);
        if (isComplete) {
          waiting.delete(object);
          events.stored(object);
          await object.discard();
        }
      }
      succeeded();
    } catch (error) {
      waiting.add(object);
      if (!stopping.signal.aborted) failed(error);
    } finally {
      uploading.delete(object);
      deps.onChange();
      pump();
    }
  }

  /** Whether the storage has as much of an object that an earlier process left. It may have stored more than it spooled. */
  async function isStored(name: string, size: number): Promise<boolean> {
    for await (const found of storage.list(name, { signal: stopping.signal }))
      if (found.name === name) return !name.endsWith('/index') && found.size >= size;
    return false;
  }

  function succeeded(): void {
    retryMs = firstRetryMs;
    if (state === 'failing') log.info('the storage of recordings works again');
    state = 'ok';
  }

  function failed(error: unknown): void {
    if (state === 'ok') {
      const facts =
        error instanceof StorageError ? { code: error.code, detail: error.detail } : { err: error };
      log.warn(facts, 'cannot store recordings; trying again');
    }
    state = 'failing';
    stopWaiting();
    cancelRetry = clock.after(draining ? drainRetryMs : retryMs, () => {
      cancelRetry = undefined;
      pump();
    });
    retryMs = Math.min(retryMs * 2, maxRetryMs);
  }

  function stopWaiting(): void {
    cancelRetry?.();
    cancelRetry = undefined;
  }

  async function drain(deadlineMs: number): Promise<void> {
    draining = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    drained = resolve;
    const cancelDeadline = clock.after(deadlineMs, () => {
      stopping.abort(new Error('The deadline of the drain is over.'));
      pump();
    });
    stopWaiting();
    pump();
    await promise;
    cancelDeadline();
    stopWaiting();
    stopping.abort(new Error('The uploader has stopped.'));
  }

  return {
    add(object) {
      if (stopping.signal.aborted) return;
      waiting.add(object);
      pump();
    },
    state: () => state,
    isUploading: () => uploading.size > 0,
    drain,
  };
}
