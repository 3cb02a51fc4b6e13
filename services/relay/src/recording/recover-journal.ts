import type { JournalFiles } from './journal-files.ts';
import { readRecords } from './journal-record.ts';

/** Where a journal has some bytes of an object. */
export interface JournalPlace {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

export interface RecoveredJournal {
  /** Where the objects are that were not released, by name. */
  readonly objects: ReadonlyMap<string, readonly JournalPlace[]>;
  /** Sizes of the files by number, oldest first. */
  readonly sizes: ReadonlyMap<number, number>;
  /** The greatest number, also of a file that cannot be read. 0 if there is none. */
  readonly lastNumber: number;
}

/** Reads what an earlier process has left. Passes over files that cannot be read. */
export async function recoverJournal(
  files: Pick<JournalFiles, 'open' | 'readAll'>,
  onUnreadable: (error: unknown) => void,
): Promise<RecoveredJournal> {
  const objects = new Map<string, readonly JournalPlace[]>();
  const sizes = new Map<number, number>();
  const numbers = await files.open();
  for (const number of numbers) {
    let bytes: Buffer;
    try {
      bytes = await files.readAll(number);
    } catch (error) {
      onUnreadable(error);
      continue;
    }
    sizes.set(number, bytes.length);
    for (const { kind, name, position, offset, length } of readRecords(bytes)) {
      const before = upTo(objects.get(name) ?? [], position);
      if (kind === 'release') objects.delete(name);
      else if (before) objects.set(name, [...before, { file: number, offset, length }]);
    }
  }
  return { objects, sizes, lastNumber: numbers.at(-1) ?? 0 };
}

/** The places of the first bytes, up to a position. Undefined if there are not as many. */
function upTo(places: readonly JournalPlace[], position: number): readonly JournalPlace[] | undefined {
  const found: JournalPlace[] = [];
  let left = position;
  for (const place of places) {
    if (left === 0) break;
    const length = Math.min(left, place.length);
    found.push({ ...place, length });
    left -= length;
  }
  return left === 0 ? found : undefined;
}
