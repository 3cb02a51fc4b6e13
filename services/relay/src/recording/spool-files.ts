import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseObjectName } from '@porthole/shared/recording/names';
import { writePieces } from '@porthole/shared/recording/storage/write-pieces';

/** Files of a spool, by the names of the objects that they become. */
export interface SpoolFiles {
  /** Makes the directory, and lists what an earlier process has left in it. */
  open(): Promise<readonly { readonly name: string; readonly size: number }[]>;
  /** Writes at a position, so that a write that failed halfway can be repeated. Returns the number of bytes. */
  writeAt(name: string, position: number, pieces: readonly Uint8Array[]): Promise<number>;
  /** Replaces the file in one atomic step. */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  /** Answers the first `size` bytes. */
  read(name: string, size: number): Promise<Buffer>;
  remove(name: string): Promise<void>;
}

const temporarySuffix = '.new';

/**
 * Files in a directory of this relay alone. They are not synced: they protect from the end of the process, and a lost
 * node takes its emptyDir along.
 */
export function createSpoolDirectory(directory: string): SpoolFiles {
  const pathOf = (name: string) => join(directory, name.replaceAll('/', '~'));

  return {
    async open() {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const left: { name: string; size: number }[] = [];
      for (const file of await readdir(directory)) {
        const name = file.replaceAll('~', '/');
        if (file.endsWith(temporarySuffix)) await rm(join(directory, file), { force: true });
        else if (parseObjectName(name)) left.push({ name, size: (await stat(join(directory, file))).size });
      }
      return left;
    },
    async writeAt(name, position, pieces) {
      await using file = await open(pathOf(name), position === 0 ? 'w' : 'r+', 0o600);
      return writePieces(file, pieces, position);
    },
    async replace(name, bytes) {
      const temporary = pathOf(name) + temporarySuffix;
      await writeFile(temporary, bytes, { mode: 0o600 });
      await rename(temporary, pathOf(name));
    },
    async read(name, size) {
      return (await readFile(pathOf(name))).subarray(0, size);
    },
    remove: (name) => rm(pathOf(name), { force: true }),
  };
}
