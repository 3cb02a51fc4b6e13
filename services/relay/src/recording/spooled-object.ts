import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { freeMemory, type BlockPool } from './block-pool.ts';
import { bytesOf } from './bytes-of.ts';
import type { JournalPlace } from './recover-journal.ts';
import type { SpoolJournal } from './spool-journal.ts';
import type { SpoolUsage } from './spool-usage.ts';

/** One object on its way to the storage, in memory and in the journal. */
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
  isFinished(): boolean;
  isDiscarded(): boolean;
  /** The storage is sent the object. What it does not have after a moment goes to the journal. */
  expectStored(): void;
  /** Moves what only the memory has to the journal, if there is one. */
  spill(): void;
  /** Appends what the journal has to its end, so that older files are free. */
  move(): void;
  /** Frees the memory and its places in the journal. */
  discard(): void;
}

export interface SpooledObjectDeps {
  /** Undefined if the spool is in memory. */
  readonly journal: Pick<SpoolJournal, 'append' | 'read' | 'release'> | undefined;
  readonly usage: SpoolUsage;
  readonly blocks: BlockPool;
  readonly clock: Clock;
}

/** Together with the interval of flushes, less than the five seconds that a killed relay may lose. */
const storeMs = 250;

export function createSpooledObject(
  deps: SpooledObjectDeps,
  name: string,
  recovered?: readonly JournalPlace[],
): SpooledObject {
  const { journal, usage, blocks } = deps;
  let places = recovered ?? [];
  let pending: Buffer[] = [];
  /** The first of `pending`, which are on their way to the journal. */
  let leaving = 0;
  let leavingBytes = 0;
  /** `pending` is the complete object, and stays in memory: an index is small and is soon replaced or stored. */
  let whole = false;
  let inJournal = recovered !== undefined;
  /** Ends when the object is at its new place. Never rejects. */
  let moving: Promise<void> | undefined;
  let cancelSpill: Cancel | undefined;
  /** An upload may be using what `read` answered. */
  let isRead = false;
  let readBack: Buffer | undefined;
  let version = 0;
  let storedVersion = -1;
  let finished = recovered !== undefined;
  let discarded = false;

  function stopWaiting(): void {
    cancelSpill?.();
    cancelSpill = undefined;
  }

  function spill(): void {
    stopWaiting();
    if (!journal || discarded || version === storedVersion) return;
    if (!whole) return spillPending(journal);
    inJournal = true;
    // An error is known to the journal.
    journal.append(name, 0, [Buffer.concat(pending)], () => {});
  }

  function spillPending({ append }: Pick<SpoolJournal, 'append'>): void {
    const pieces = pending.slice(leaving);
    if (pieces.length === 0) return;
    const bytes = bytesOf(pieces);
    const position = bytesOf(places) + leavingBytes;
    leaving += pieces.length;
    leavingBytes += bytes;
    usage.unwritten(bytes);
    inJournal = true;
    append(name, position, pieces, (place) => {
      leaving -= pieces.length;
      leavingBytes -= bytes;
      usage.unwritten(-bytes);
      if (discarded) {
        blocks.release(pieces);
        return;
      }
      // Otherwise, it stays in memory.
      if (!place) return;
      pending = pending.slice(pieces.length);
      places = [...places, place];
      usage.memory(-bytes);
      if (!isRead) blocks.release(pieces);
    });
  }

  async function move({ append, read }: Pick<SpoolJournal, 'append' | 'read'>): Promise<void> {
    const moved = places;
    const bytes = await read(moved).catch(() => undefined);
    // What is appended behind it meanwhile would be invalid.
    if (!bytes || discarded || places !== moved || leaving > 0) return;
    await new Promise<void>((resolve) => {
      append(name, 0, [bytes], (place) => {
        if (place) places = [place, ...places.slice(moved.length)];
        freeMemory(bytes);
        resolve();
      });
    });
  }

  return {
    name,
    recovered: recovered !== undefined,
    append(pieces) {
      // The chunk is lost, and with it what belongs behind it.
      if (discarded) return 0;
      version++;
      // Not pushed: an upload may be under way with the old list.
      const added = blocks.join(pieces);
      pending = [...pending, ...added];
      const bytes = bytesOf(added);
      usage.memory(bytes);
      return bytes;
    },
    replace(bytes) {
      version++;
      usage.memory(bytes.length - bytesOf(pending));
      pending = [bytes];
      whole = true;
      // The old one in the journal would replace what the storage has got since.
      if (inJournal) spill();
    },
    finish() {
      finished = true;
    },
    async read() {
      // Files with what was moved are removed.
      await moving;
      isRead = true;
      const now = version;
      // At one moment: a write moves data from one to the other.
      const [written, rest] = [places, pending];
      readBack = journal && written.length > 0 ? await journal.read(written) : undefined;
      return { bytes: readBack ? [readBack, ...rest] : rest, version: now };
    },
    isComplete: (stored) => finished && stored === version,
    isInterim: (stored) => storedVersion >= 0 && !(finished && stored === version),
    isStored(stored) {
      storedVersion = stored;
      isRead = false;
      if (readBack) freeMemory(readBack);
      readBack = undefined;
      if (stored !== version) return;
      stopWaiting();
      if (!whole || !inJournal) return;
      journal?.release(name);
      inJournal = false;
    },
    hasNews: () => version !== storedVersion,
    isFinished: () => finished,
    isDiscarded: () => discarded,
    expectStored() {
      if (journal) cancelSpill ??= deps.clock.after(storeMs, spill);
    },
    spill,
    move() {
      if (!journal || moving || isRead || discarded) return;
      if (whole) return spill();
      if (places.length === 0) return;
      moving = move(journal).finally(() => (moving = undefined));
    },
    discard() {
      if (discarded) return;
      discarded = true;
      stopWaiting();
      usage.memory(-bytesOf(pending));
      // The journal still uses the first ones, and then they are released.
      blocks.release(pending.slice(leaving));
      pending = [];
      journal?.release(name);
    },
  };
}
