import { parseObjectName } from '@porthole/shared/recording/names';
import { decodeObjectHeader } from '@porthole/shared/recording/object/object-header';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { bytesOf } from './bytes-of.ts';
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
/** An object that cannot be read so often is given up. */
const readAttempts = 3;
const readRetryMs = 1000;
/** More than a header has. */
const maxHeaderBytes = 4096;

/** Each index of a part has a greater number than the one before. */
const revisionOf = (index: Uint8Array) => decodeObjectHeader(index).header?.number ?? -1;

export function createUploader(
  deps: {
    readonly storage: Pick<RecordingStorage, 'put' | 'list' | 'get'>;
    readonly clock: Clock;
    readonly log: Pick<Log, 'info' | 'warn'>;
    /** Called when the state may have changed. */
    readonly onChange: () => void;
  },
  events: {
    /** All of the object is stored, and it is discarded. */
    stored(object: SpooledObject): void;
    /** The spool cannot read it any more, and it is discarded. */
    unreadable(object: SpooledObject, error: unknown): void;
  },
): Uploader {
  const { storage, clock, log } = deps;
  const waiting = new Set<SpooledObject>();
  const uploading = new Set<SpooledObject>();
  /** What could not be read, with the number of attempts. */
  const failedReads = new Map<SpooledObject, number>();
  const cancelReads = new Map<SpooledObject, Cancel>();
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
      if (object.isDiscarded()) return;
      const read = await readObject(object);
      if (!read) return;
      const { bytes, version } = read;
      const isNew = object.hasNews() && !(object.recovered && (await isStored(object, bytes)));
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
          object.discard();
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

  async function readObject(
    object: SpooledObject,
  ): Promise<Awaited<ReturnType<SpooledObject['read']>> | undefined> {
    try {
      const read = await object.read();
      failedReads.delete(object);
      return read;
    } catch (error) {
      const attempts = (failedReads.get(object) ?? 0) + 1;
      failedReads.set(object, attempts);
      if (attempts < readAttempts) readLater(object);
      else {
        failedReads.delete(object);
        object.discard();
        events.unreadable(object, error);
      }
      return undefined;
    }
  }

  /** The storage does not fail, so others go on. */
  function readLater(object: SpooledObject): void {
    const again = () => {
      cancelReads.delete(object);
      waiting.add(object);
    };
    if (draining) return again();
    cancelReads.get(object)?.();
    cancelReads.set(
      object,
      clock.after(readRetryMs, () => {
        again();
        pump();
      }),
    );
  }

  /**
   * Whether the storage has an object that an earlier process left. That may have stored more of a chunk, or a later index, than
   * its journal says.
   */
  async function isStored(object: SpooledObject, bytes: readonly Uint8Array[]): Promise<boolean> {
    const { name } = object;
    const { signal } = stopping;
    for await (const found of storage.list(name, { signal })) {
      if (found.name !== name) continue;
      if (parseObjectName(name)?.kind === 'chunk') return found.size >= bytesOf(bytes);
      const stored = await storage.get(name, { maxBytes: maxHeaderBytes, signal });
      return revisionOf(stored) >= revisionOf(Buffer.concat(bytes));
    }
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
    for (const [object, cancel] of cancelReads) {
      cancel();
      waiting.add(object);
    }
    cancelReads.clear();
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
