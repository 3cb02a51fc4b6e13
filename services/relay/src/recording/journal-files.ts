import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePieces } from '@porthole/shared/recording/storage/write-pieces';

/** The files of a journal, which have numbers. */
export interface JournalFiles {
  /** Makes the directory, and lists the files that an earlier process has left in it, oldest first. */
  open(): Promise<readonly number[]>;
  /** All of a file. */
  readAll(file: number): Promise<Buffer>;
  /** Reads these places of a file, one behind the other. Rejects if the file is shorter. */
  read(file: number, places: readonly { readonly offset: number; readonly into: Buffer }[]): Promise<void>;
  /** Writes at a position, which is the end of the file. A new file begins at 0. If it rejects, the file has what it had. */
  write(file: number, position: number, pieces: readonly Uint8Array[]): Promise<void>;
  remove(file: number): Promise<void>;
}

const nameOf = (file: number) => `journal-${String(file).padStart(8, '0')}`;

/**
 * Files in a directory of this relay alone. They are not synced: they protect from the end of the process, and a lost
 * node takes its emptyDir along.
 */
export function createJournalFiles(directory: string): JournalFiles {
  const pathOf = (file: number) => join(directory, nameOf(file));

  return {
    async open() {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const entries = await readdir(directory, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map(({ name }) => [name, Number(name.slice('journal-'.length))] as const)
        .filter(([name, number]) => Number.isSafeInteger(number) && name === nameOf(number))
        .map(([, number]) => number)
        .toSorted((a, b) => a - b);
    },
    readAll: (file) => readFile(pathOf(file)),
    async read(file, places) {
      await using handle = await open(pathOf(file), 'r');
      for (const { offset, into } of places) {
        const { bytesRead } = await handle.read(into, 0, into.length, offset);
        if (bytesRead < into.length) throw new Error('A file of the spool is too short.');
      }
    },
    async write(file, position, pieces) {
      await using handle = await open(pathOf(file), position === 0 ? 'wx' : 'r+', 0o600);
      try {
        await writePieces(handle, pieces, position);
      } catch (error) {
        await handle.truncate(position).catch(() => {});
        throw error;
      }
    },
    remove: (file) => rm(pathOf(file), { force: true }),
  };
}
