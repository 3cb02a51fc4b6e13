import { readFileSync, statSync } from 'node:fs';

/** A secret or certificate, read at the moment of use: a file that changed is read again, without a restart. */
export type Secret = () => string;

export function constantSecret(value: string): Secret {
  return () => value;
}

/** The file's text without the line end that editors add. Keeps the last good text while the file can't be read. */
export function secretFile(path: string): Secret {
  let modified = -1;
  let text: string | undefined;
  return () => {
    try {
      const { mtimeMs } = statSync(path);
      if (mtimeMs !== modified) {
        text = readFileSync(path, 'utf8').trim();
        modified = mtimeMs;
      }
    } catch (error) {
      if (text === undefined) throw new Error(`Can not read the secret file ${path}.`, { cause: error });
    }
    return text as string; // set above, or thrown
  };
}
