import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Path of the first of these programs that is in PATH. */
export function findExecutable(...names: string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // It is not in this folder.
      }
    }
  }
  return undefined;
}

/** `describe`, or `describe.skip` with a message if a program is missing. */
export function describeWhere(available: boolean, missing: string): typeof describe {
  if (available) return describe;
  // Not on the console, because Jest hides the console output of files whose tests are all skipped.
  process.stderr.write(`\nSKIPPED TESTS: ${missing}\n\n`);
  return describe.skip;
}
