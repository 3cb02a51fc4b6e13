import type { SpoolFiles } from './spool-files.ts';
import type { SpoolUsage } from './spool-usage.ts';

/** One object on its way to the storage. It is in a file, in memory, or its end is still in memory. */
export interface SpooledObject {
  readonly name: string;
  /** Left by an earlier process: the storage may have more of it. */
  readonly recovered: boolean;
  /** Returns the number of bytes. */
  append(pieces: readonly Buffer[]): number;
  /** Replaces all of the object. */
  replace(bytes: Buffer): void;
  /** Nothing more will come. */
  finish(): void;
  /** The object as of now, and a version that changes with each append and replace. */
  read(): Promise<{ readonly bytes: readonly Buffer[]; readonly version: number }>;
  /** Whether it can be forgotten once this version is stored. */
  isComplete(version: number): boolean;
  isStored(version: number): void;
  hasNews(): boolean;
  /** Frees memory and file. */
  discard(): Promise<void>;
}

export interface SpooledObjectDeps {
  /** Undefined if the spool is in memory. */
  readonly files: SpoolFiles | undefined;
  readonly usage: SpoolUsage;
  /** Called after each write to the spool's disk, with its error if it failed. The data then stays in memory. */
  readonly onWritten: (error?: unknown) => void;
}

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
    pending = pending.slice(count);
    inFile += bytes;
    usage.disk(bytes);
    usage.memory(-bytes);
    usage.unwritten(-bytes);
    unwritten -= bytes;
  }

  return {
    name,
    recovered: recoveredBytes !== undefined,
    append(pieces) {
      version++;
      // Not pushed: a write may be under way with the old list.
      pending = [...pending, ...pieces];
      const bytes = bytesOf(pieces);
      usage.memory(bytes);
      if (files) {
        unwritten += bytes;
        usage.unwritten(bytes);
        schedule(writePending);
      }
      return bytes;
    },
    replace(bytes) {
      version++;
      usage.memory(bytes.length - bytesOf(pending));
      pending = [bytes];
      // It stays in memory, because an index is small and is soon replaced or stored.
      schedule((files) => files.replace(name, bytes));
    },
    finish() {
      finished = true;
    },
    async read() {
      await writes;
      const now = version;
      // Both are taken before the next write can move data from one to the other.
      const [size, rest] = [inFile, [...pending]];
      const begin = files && size > 0 ? [await files.read(name, size)] : [];
      return { bytes: [...begin, ...rest], version: now };
    },
    isComplete: (stored) => finished && stored === version,
    isStored(stored) {
      storedVersion = stored;
    },
    hasNews: () => version !== storedVersion,
    async discard() {
      if (discarded) return;
      discarded = true;
      usage.memory(-bytesOf(pending));
      usage.unwritten(-unwritten);
      unwritten = 0;
      pending = [];
      usage.disk(-inFile);
      inFile = 0;
      await writes;
      await files?.remove(name).catch(deps.onWritten);
    },
  };
}
