import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { bytesOf } from './bytes-of.ts';
import type { JournalFiles } from './journal-files.ts';
import { encodeRecordHead, type JournalRecordKind } from './journal-record.ts';
import { recoverJournal, type JournalPlace } from './recover-journal.ts';
import type { SpoolUsage } from './spool-usage.ts';

/** Called once: with the place, with nothing if the object was released before, or with the error of the disk. */
export type OnJournaled = (place: JournalPlace | undefined, error?: unknown) => void;

/**
 * Objects on the disk of a spool, until the storage has them. What many recordings write in a moment becomes one write to one
 * file: with a file for each, opening and closing would cost more than all the rest of recording.
 */
export interface SpoolJournal {
  /** What an earlier process has left, by the names of the objects. Call it first. */
  open(): Promise<ReadonlyMap<string, readonly JournalPlace[]>>;
  /**
   * Appends to an object, and at 0 replaces what the journal has of it. Nothing may change the pieces until the call of `on`. After
   * an error, begin at the same position.
   */
  append(name: string, position: number, pieces: readonly Buffer[], on: OnJournaled): void;
  read(places: readonly JournalPlace[]): Promise<Buffer>;
  /** The storage has the object, or nothing will need it. What waits to be written of it is not written. Idempotent. */
  release(name: string): void;
  /** Whether the disk takes what it gets. After a failure, it is left alone for half a minute. */
  works(): boolean;
  /**
   * Objects that should be appended again, from 0 on: they are all that is needed of the oldest file, and keep the files behind it,
   * of which little is needed.
   */
  pinned(): readonly string[];
  /** Writes what waits, and ends. */
  close(): Promise<void>;
}

export interface SpoolJournalDeps {
  readonly files: JournalFiles;
  readonly usage: Pick<SpoolUsage, 'disk' | 'shareOfDisk'>;
  readonly clock: Clock;
  /** Called after each write, with its error if it failed. */
  readonly onWritten: (error?: unknown) => void;
  /** A write takes long. `onWritten` follows when it ends. */
  readonly onSlow: () => void;
  /** A file was removed. */
  readonly onFreed: () => void;
  /** After a failure, the disk gets another chance. */
  readonly onRetry: () => void;
  /** A file of an earlier process cannot be read. */
  readonly onUnreadable: (error: unknown) => void;
}

/** Together with the interval of flushes, less than the five seconds that a killed relay may lose. */
const gatherMs = 250;
/** So much is written at once. */
const gatherBytes = 256 * 1024;
/** A file goes when nothing in it and in those before it is needed any more. */
const fileBytes = 8 * 1024 * 1024;
const retryMs = 30_000;
const slowMs = 2000;
/** Below this share of the disk, nothing is moved to free files. */
const crowdedShare = 1 / 8;

interface Entry {
  readonly kind: JournalRecordKind;
  readonly name: string;
  readonly position: number;
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
  readonly on: OnJournaled;
}

interface JournalFile {
  readonly number: number;
  bytes: number;
  /** Nothing is written to it any more. */
  closed: boolean;
  /** Bytes of the objects that need it. */
  readonly needed: Map<string, number>;
}

export function createSpoolJournal(deps: SpoolJournalDeps): SpoolJournal {
  const { files, usage, clock, onWritten, onFreed } = deps;
  /** Oldest first. */
  let journal: JournalFile[] = [];
  let nextNumber = 1;
  let waiting: Entry[] = [];
  let waitingBytes = 0;
  let cancelTimer: Cancel | undefined;
  let isScheduled = false;
  let isWriting = false;
  let isSlow = false;
  let isRemoving = false;
  /** Set while the disk is given no chance, after it failed. */
  let cancelRetry: Cancel | undefined;
  /** Ends when all that was begun is done. Never rejects. */
  let work: Promise<void> = Promise.resolve();

  async function open(): Promise<ReadonlyMap<string, readonly JournalPlace[]>> {
    const { objects, sizes, lastNumber } = await recoverJournal(files, deps.onUnreadable);
    nextNumber = lastNumber + 1;
    for (const [number, bytes] of sizes) {
      journal.push({ number, bytes, closed: true, needed: new Map() });
      usage.disk(bytes);
    }
    for (const [name, places] of objects)
      for (const place of places) need(fileOf(place.file), name, place.length);
    removeUnneeded();
    return objects;
  }

  const fileOf = (number: number) => journal.find((file) => file.number === number);

  function need(file: JournalFile | undefined, name: string, bytes: number): void {
    file?.needed.set(name, (file.needed.get(name) ?? 0) + bytes);
  }

  function add(entry: Entry): void {
    if (cancelRetry && entry.kind !== 'release') {
      entry.on(undefined, new Error('The disk of the spool is left alone for a while.'));
      return;
    }
    waiting.push(entry);
    waitingBytes += entry.bytes;
    if (cancelRetry) return;
    if (waitingBytes >= gatherBytes) schedule();
    else cancelTimer ??= clock.after(gatherMs, schedule);
  }

  function schedule(): void {
    stopTimer();
    if (isScheduled) return;
    isScheduled = true;
    work = work.then(write);
  }

  function stopTimer(): void {
    cancelTimer?.();
    cancelTimer = undefined;
  }

  function take(): Entry[] {
    const entries = waiting;
    waiting = [];
    waitingBytes = 0;
    stopTimer();
    return entries;
  }

  async function write(): Promise<void> {
    isScheduled = false;
    if (cancelRetry) return;
    const entries = take();
    if (entries.length === 0) return;
    isWriting = true;
    const cancelSlow = clock.after(slowMs, () => {
      isSlow = true;
      deps.onSlow();
    });
    const file = fileToWrite();
    const pieces: Uint8Array[] = [];
    const places: JournalPlace[] = [];
    let end = file.bytes;
    for (const entry of entries) {
      if (entry.kind !== 'release') need(file, entry.name, entry.bytes);
      const head = encodeRecordHead(entry, entry.pieces);
      pieces.push(head, ...entry.pieces);
      places.push({ file: file.number, offset: end + head.length, length: entry.bytes });
      end += head.length + entry.bytes;
    }
    let failure: { readonly error: unknown } | undefined;
    try {
      await files.write(file.number, file.bytes, pieces);
      usage.disk(end - file.bytes);
      file.bytes = end;
    } catch (error) {
      failure = { error };
    }
    cancelSlow();
    isSlow = isWriting = false;
    if (failure) onFailed(file, entries, failure.error);
    else onDone(file, entries, places);
    removeUnneeded();
  }

  function onDone(file: JournalFile, entries: readonly Entry[], places: readonly JournalPlace[]): void {
    for (const [at, { kind, name, position, on }] of entries.entries()) {
      if (kind === 'append' && position === 0)
        for (const older of journal) if (older !== file) older.needed.delete(name);
      on(places[at]);
    }
    onWritten();
  }

  function onFailed(file: JournalFile, entries: readonly Entry[], error: unknown): void {
    // Half a record can be at its end, and nothing behind that could be read.
    file.closed = true;
    cancelRetry = clock.after(retryMs, retry);
    // What waits behind the failed bytes would leave a hole.
    const failed = [...entries, ...take()];
    waiting = failed.filter(({ kind }) => kind === 'release');
    for (const { kind, on } of failed) if (kind !== 'release') on(undefined, error);
    onWritten(error);
  }

  function retry(): void {
    cancelRetry = undefined;
    schedule();
    deps.onRetry();
  }

  function stopRetry(): void {
    cancelRetry?.();
    cancelRetry = undefined;
  }

  function fileToWrite(): JournalFile {
    const last = journal.at(-1);
    if (last && !last.closed && last.bytes < fileBytes) return last;
    if (last) last.closed = true;
    const file = { number: nextNumber++, bytes: 0, closed: false, needed: new Map<string, number>() };
    journal.push(file);
    return file;
  }

  /** The oldest first, so that a release never goes before what it makes invalid. */
  function removeUnneeded(): void {
    if (isEmpty()) {
      // Releases of what is not there.
      take();
      for (const file of journal) file.closed = true;
    }
    if (isRemoving || !isUnneeded(journal[0])) return;
    isRemoving = true;
    work = work.then(removeOldest);
  }

  const isUnneeded = (file: JournalFile | undefined) => file?.closed === true && file.needed.size === 0;

  const isEmpty = () =>
    !isWriting &&
    journal.every(({ needed }) => needed.size === 0) &&
    waiting.every(({ kind }) => kind === 'release');

  async function removeOldest(): Promise<void> {
    for (let oldest = journal[0]; oldest && isUnneeded(oldest); oldest = journal[0]) {
      const removed = await files.remove(oldest.number).then(
        () => true,
        () => false,
      );
      // It is tried again when something else is not needed any more.
      if (!removed) break;
      journal = journal.filter((file) => file !== oldest);
      usage.disk(-oldest.bytes);
      onFreed();
    }
    isRemoving = false;
  }

  return {
    open,
    append: (name, position, pieces, on) =>
      add({ kind: 'append', name, position, pieces, bytes: bytesOf(pieces), on }),
    async read(places) {
      const bytes = Buffer.allocUnsafeSlow(bytesOf(places));
      const reads = new Map<number, { offset: number; into: Buffer }[]>();
      let at = 0;
      for (const { file, offset, length } of places) {
        const into = bytes.subarray(at, (at += length));
        reads.set(file, [...(reads.get(file) ?? []), { offset, into }]);
      }
      for (const [file, wanted] of reads) await files.read(file, wanted);
      return bytes;
    },
    release(name) {
      const unwritten = waiting.filter((entry) => entry.name === name && entry.kind !== 'release');
      if (unwritten.length > 0) {
        waiting = waiting.filter((entry) => !unwritten.includes(entry));
        waitingBytes -= unwritten.reduce((sum, { bytes }) => sum + bytes, 0);
        for (const { on } of unwritten) on(undefined);
      }
      const isHeld = journal.filter(({ needed }) => needed.delete(name)).length > 0;
      if (isHeld && !isEmpty())
        add({ kind: 'release', name, position: 0, pieces: [], bytes: 0, on: () => {} });
      removeUnneeded();
    },
    works: () => !cancelRetry && !isSlow,
    pinned() {
      const [oldest, ...others] = journal;
      if (!oldest?.closed || others.length === 0 || usage.shareOfDisk() < crowdedShare) return [];
      const sum = (of: (file: JournalFile) => number) => journal.reduce((total, file) => total + of(file), 0);
      const needed = sum((file) => [...file.needed.values()].reduce((total, bytes) => total + bytes, 0));
      return needed < sum(({ bytes }) => bytes) / 2 ? [...oldest.needed.keys()] : [];
    },
    async close() {
      stopRetry();
      schedule();
      await work;
      // What was not needed any more after the last write.
      await work;
      stopRetry();
    },
  };
}
