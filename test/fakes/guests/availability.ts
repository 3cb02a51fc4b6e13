import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of these programs that is on the PATH, as a full path. */
export function findExecutable(...names: string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

/** `describe`, or where the program is missing a skipped one that says which package would bring it. */
export function describeWhere(available: boolean, missing: string): typeof describe {
  if (available) return describe;
  // Not by the console: Jest keeps to itself what a file logs of which all tests are skipped.
  process.stderr.write(`\nSKIPPED TESTS: ${missing}\n\n`);
  return describe.skip;
}
