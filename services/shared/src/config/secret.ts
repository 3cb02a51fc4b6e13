import { readFileSync, statSync } from 'node:fs';

/** A secret or certificate. Its file is read again when it changes, so that a rotation needs no restart. */
export interface Secret {
  (): string;
  /** Why the file could not be read at the last use. The secret then keeps its previous value. */
  readonly readError?: () => string | undefined;
}

export function constantSecret(value: string): Secret {
  return () => value;
}

/**
 * Returns the trimmed text of the file. Keeps the previous text while the file cannot be read or is empty, as it is for
 * a moment while it is rewritten. Throws if the file was never readable.
 */
export function secretFile(path: string): Secret {
  let version: string | undefined;
  let text: string | undefined;
  let readError: string | undefined;
  const read = () => {
    try {
      // Tools can preserve mtime but not ctime. Inode and size distinguish writes within one tick of the clock.
      const { ctimeMs, mtimeMs, ino, size } = statSync(path);
      const found = `${ctimeMs} ${mtimeMs} ${ino} ${size}`;
      if (found !== version) {
        const written = readFileSync(path, 'utf8').trim();
        if (written !== '' || text === undefined) text = written;
        readError = written === '' ? 'is empty' : undefined;
        version = found;
      }
    } catch (error) {
      if (text === undefined) throw new Error(`Cannot read the secret file ${path}.`, { cause: error });
      const { code } = error as NodeJS.ErrnoException;
      readError = `cannot be read (${code ?? 'unknown error'})`;
      version = undefined;
    }
    return text as string; // set above, or thrown
  };
  return Object.assign(read, { readError: () => readError });
}
