import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { freeMemory, type BlockPool } from './block-pool.ts';
import type { SpoolFiles } from './spool-files.ts';
import type { SpoolUsage } from './spool-usage.ts';

/**
 * One object on its way to the storage. It is in memory, and moves to a file if the storage does not take it in time: a disk
 * costs as much as the storage.
 */
export interface SpooledObject {
  readonly name: string;
  /** Left by an earlier process: the storage may have more of it. */
  readonly recovered: boolean;
  /** Takes the pieces over: nothing else may use them. Returns the number of bytes. */
  append(pieces: readonly Buffer[]): number;
  /** Replaces all of the object. */
  replace(bytes: Buffer): void;
  /** Nothing more will come. */
  finish(): void;
  /** The object as of now, and a version that changes with each append and replace. */
  read(): Promise<{ readonly bytes: readonly Buffer[]; readonly version: number }>;
  /** Whether it can be forgotten once this version is stored. */
  isComplete(version: number): boolean;
  /** Whether the storage has an earlier version of it, and will get a later one. */
  isInterim(version: number): boolean;
  isStored(version: number): void;
  hasNews(): boolean;
  /** The storage is sent the object. What it does not have after a moment goes to the file. */
  expectStored(): void;
  /** Moves what only the memory has to the file. Resolves when it is there, or could not be written. */
  spill(): Promise<void>;
  /** Frees memory and file. */
  discard(): Promise<void>;
}

export interface SpooledObjectDeps {
  /** Undefined if the spool is in memory. */
  readonly files: SpoolFiles | undefined;
  readonly usage: SpoolUsage;
  readonly blocks: BlockPool;
  readonly clock: Clock;
  /** Whether new data goes to the file at once. */
  readonly mustSpill: () => boolean;
  /** Called after each write to the spool's disk, with its error if it failed. The data then stays in memory. */
  readonly onWritten: (error?: unknown) => void;
}

/** Together with the interval of flushes, less than the five seconds that a killed relay may lose. */
const storeMs = 750;

export function createSpooledObject(
  deps: SpooledObjectDeps,
  name: string,
  recoveredBytes?: number,
): SpooledObject {
  const { files, usage } = deps;
  let inFile = recoveredBytes ?? 0;
  let pending: Buffer[] = [];
  /** Of `pending`, what a write is to move to the file. */
  let unwritten = 0;
  /** There may be a file. */
  let spilled = recoveredBytes !== undefined;
  /** `pending` is the complete object, and replaces the file. */
  let whole = false;
  let cancelSpill: Cancel | undefined;
  /** An upload may be using what `read` answered. */
  let isRead = false;
  let readBack: Buffer | undefined;
  let version = 0;
  let storedVersion = -1;
  let finished = recoveredBytes !== undefined;
  let discarded = false;
  /** Ends when all writes that were begun are done. Never rejects. */
  let writes: Promise<void> = Promise.resolve();
  usage.disk(inFile);

  const bytesOf = (buffers: readonly Buffer[]) => buffers.reduce((sum, { length }) => sum + length, 0);

  function schedule(write: (files: SpoolFiles) => Promise<void>): void {
    if (!files) return;
    spilled = true;
    writes = writes.then(async () => {
      if (discarded) return;
      try {
        await write(files);
        deps.onWritten();
      } catch (error) {
        deps.onWritten(error);
      }
    });
  }

  async function writePending(files: SpoolFiles): Promise<void> {
    const count = pending.length;
    if (count === 0) return;
    const bytes = await files.writeAt(name, inFile, pending);
    if (discarded) return;
    if (!isRead) deps.blocks.release(pending.slice(0, count));
    pending = pending.slice(count);
    inFile += bytes;
    usage.disk(bytes);
    usage.memory(-bytes);
    usage.unwritten(-bytes);
    unwritten -= bytes;
  }

  async function writeWhole(files: SpoolFiles): Promise<void> {
    // It stays in memory, because an index is small and is soon replaced or stored.
    await files.replace(name, Buffer.concat(pending));
  }

  function stopWaiting(): void {
    cancelSpill?.();
    cancelSpill = undefined;
  }

  function spill(): Promise<void> {
    stopWaiting();
    if (!files || discarded || pending.length === 0 || version === storedVersion) return writes;
    if (whole) {
      schedule(writeWhole);
      return writes;
    }
    const added = bytesOf(pending) - unwritten;
    unwritten += added;
    usage.unwritten(added);
    schedule(writePending);
    return writes;
  }

  return {
    name,
    recovered: recoveredBytes !== undefined,
    append(pieces) {
      version++;
      // Not pushed: a write may be under way with the old list.
      const added = deps.blocks.join(pieces);
      pending = [...pending, ...added];
      const bytes = bytesOf(added);
      usage.memory(bytes);
      if (deps.mustSpill()) void spill();
      return bytes;
    },
    replace(bytes) {
      version++;
      usage.memory(bytes.length - bytesOf(pending));
      pending = [bytes];
      whole = true;
      // An old file would replace what the storage has got since.
      if (spilled || deps.mustSpill()) void spill();
    },
    finish() {
      finished = true;
    },
    async read() {
      await writes;
      const now = version;
      isRead = true;
      // Both are taken before the next write can move data from one to the other.
      const [size, rest] = [inFile, [...pending]];
      readBack = files && size > 0 ? await files.read(name, size) : undefined;
      return { bytes: readBack ? [readBack, ...rest] : rest, version: now };
    },
    isComplete: (stored) => finished && stored === version,
    isInterim: (stored) => storedVersion >= 0 && !(finished && stored === version),
    isStored(stored) {
      storedVersion = stored;
      isRead = false;
      if (readBack) freeMemory(readBack);
      readBack = undefined;
      if (stored === version) stopWaiting();
    },
    hasNews: () => version !== storedVersion,
    expectStored() {
      if (files) cancelSpill ??= deps.clock.after(storeMs, () => void spill());
    },
    spill,
    async discard() {
      if (discarded) return;
      discarded = true;
      stopWaiting();
      usage.memory(-bytesOf(pending));
      usage.unwritten(-unwritten);
      unwritten = 0;
      const unused = pending;
      pending = [];
      usage.disk(-inFile);
      inFile = 0;
      await writes;
      deps.blocks.release(unused);
      if (spilled) await files?.remove(name).catch(deps.onWritten);
    },
  };
}
