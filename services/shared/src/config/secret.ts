import { readFileSync, statSync } from 'node:fs';

/** A secret or certificate, read at the moment of use: a file that changed is read again, without a restart. */
export interface Secret {
  (): string;
  /** Of a file: what keeps it from being read, while the last good text is given. As of the last use. */
  readonly readError?: () => string | undefined;
}

export function constantSecret(value: string): Secret {
  return () => value;
}

/**
 * The file's text without the line end that editors add. Keeps the last good text while the file can't be read or
 * is empty, as it is for a moment when somebody writes it anew.
 */
export function secretFile(path: string): Secret {
  let version: string | undefined;
  let text: string | undefined;
  let readError: string | undefined;
  const read = () => {
    try {
      // The time of change can't be set by whoever replaces the file; the others tell writes of one moment apart.
      const { ctimeMs, mtimeMs, ino, size } = statSync(path);
      const found = `${ctimeMs} ${mtimeMs} ${ino} ${size}`;
      if (found !== version) {
        const written = readFileSync(path, 'utf8').trim();
        if (written !== '' || text === undefined) text = written;
        readError = written === '' ? 'is empty' : undefined;
        version = found;
      }
    } catch (error) {
      if (text === undefined) throw new Error(`Can not read the secret file ${path}.`, { cause: error });
      const { code } = error as NodeJS.ErrnoException;
      readError = `can not be read (${code ?? 'unknown fault'})`;
      version = undefined;
    }
    return text as string; // set above, or thrown
  };
  return Object.assign(read, { fault: () => readError });
}
