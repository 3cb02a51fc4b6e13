import { cp, mkdtemp } from 'node:fs/promises';
import { createJournalFiles, type JournalFiles } from '@porthole/relay/recording/journal-files';
import { isEmpty, type SpoolHarness } from './spool-harness.ts';

export const flushMs = 5000;
export const gatherMs = 250;

/** Files that count what is written, whose disk can fail, and whose process can be killed. */
export function observedFiles({ spoolDirectory }: SpoolHarness) {
  const files = createJournalFiles(spoolDirectory);
  const observed = { writes: 0, isBroken: false };
  const underWay = new Set<Promise<void>>();
  let isKilled = false;
  const whileAlive = (work: () => Promise<void>): Promise<void> => {
    if (isKilled) return new Promise(() => {});
    const done = work().finally(() => underWay.delete(done));
    underWay.add(done);
    return done;
  };
  return {
    observed,
    async kill() {
      isKilled = true;
      await Promise.allSettled(underWay);
    },
    files: {
      ...files,
      write: (file, position, pieces) =>
        whileAlive(async () => {
          observed.writes++;
          if (!observed.isBroken) return files.write(file, position, pieces);
          await files.write(file, position, [Buffer.concat(pieces).subarray(0, 10)]);
          throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        }),
      remove: (file) => whileAlive(() => files.remove(file)),
    } satisfies JournalFiles,
  };
}

/**
 * The next process, with a copy of the directory, because the spool of the one before may go on here. Answers the directory once
 * all is stored.
 */
export async function restart({ spoolDirectory, openSpool }: SpoolHarness): Promise<string> {
  const directory = await mkdtemp(`${spoolDirectory}-`);
  await cp(spoolDirectory, directory, { recursive: true });
  const spool = await openSpool({ files: createJournalFiles(directory) });
  await isEmpty(spool);
  expect(await spool.drain(1000)).toBe(0);
  return directory;
}
